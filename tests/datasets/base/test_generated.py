"""Generated tasks: a solver that reads the symbols gets every answer right."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from harness import datasets
from harness.core.errors import UserError
from harness.datasets.base.dataset import SPLITS
from harness.datasets.base.generated import GeneratedTask


def temporal_order(symbols: Sequence[str]) -> str:
    return "".join(symbol for symbol in symbols if symbol in "XY")


def parity(symbols: Sequence[str]) -> str:
    return "odd" if list(symbols).count("1") % 2 else "even"


def modular_counting(symbols: Sequence[str]) -> str:
    return str(sum(map(int, symbols)) % 5)


def list_ops(symbols: Sequence[str]) -> str:
    stack: list[list[object]] = [[]]
    for symbol in symbols:
        if symbol.startswith("["):
            stack.append([symbol])
        elif symbol == "]":
            operation, *values = stack.pop()
            numbers = sorted(int(str(value)) for value in values)
            middle = len(numbers) // 2
            stack[-1].append({
                "[MAX": numbers[-1],
                "[MIN": numbers[0],
                "[MED": numbers[middle]
                if len(numbers) % 2
                else (numbers[middle - 1] + numbers[middle]) // 2,
                "[SM": sum(numbers) % 10,
            }[str(operation)])  # fmt: skip
        else:
            stack[-1].append(symbol)
    ((result,),) = stack
    return str(result)


def dyck(symbols: Sequence[str]) -> str:
    stack: list[str] = []
    for symbol in symbols:
        if symbol in "([":
            stack.append(symbol)
        elif stack.pop() + symbol not in ("()", "[]"):
            return "broken"
    return "broken" if stack else "matched"


SOLVERS: dict[str, Callable[[Sequence[str]], str]] = {
    "temporal-order": temporal_order,
    "parity": parity,
    "modular-counting": modular_counting,
    "list-ops": list_ops,
    "dyck": dyck,
}
HARDER = {"length": 30, "nesting": 4, "teacher_depth": 3, "delay": 30}


def made(name: str, **options: int) -> GeneratedTask:
    if name == "translation":
        pytest.importorskip("num2words", reason="needs the package num2words")
    dataset = datasets.by_name(name, **{"train": 700, "validation": 60, "test": 60, **options})
    assert isinstance(dataset, GeneratedTask)
    return dataset


def nesting_of(symbols: Sequence[str]) -> int:
    depth = deepest = 0
    for symbol in symbols:
        depth += (symbol[0] in "([") - (symbol in (")", "]"))
        deepest = max(deepest, depth)
    return deepest


NAMES = [n for n in datasets.names() if issubclass(type(datasets.by_name(n)), GeneratedTask)]
# Those whose examples are drawn by numbers alone.
DRAWN = [name for name in NAMES if name != "speech"]


def test_every_generated_task_has_a_solver() -> None:
    # The teacher solves its own; the others are solved below, and the rest in tests of its own.
    assert set(NAMES) == {
        *SOLVERS,
        "teacher",
        "adding",
        "copy-memory",
        "mnist1d",
        "two-waves",
        "speech",
        "translation",
    }


def test_adding_up_the_marked_numbers_solves_adding() -> None:
    dataset = made("adding", length=30)
    arrays = dataset.load("train", sequence_length=dataset.longest, vocabulary=10)
    numbers, marks = arrays.x[..., 0], arrays.x[..., 1]
    np.testing.assert_array_equal((numbers * marks).sum(axis=1), arrays.y)
    for half in (marks[:, :15], marks[:, 15:]):
        assert (half.sum(axis=1) == 1).all()
    assert numbers.min() >= 0
    assert numbers.max() <= 1
    assert abs(np.mean((arrays.y - 1) ** 2) - 1 / 6) < 0.03  # of the constant prediction 1


def test_saying_the_first_ten_symbols_solves_copy_memory() -> None:
    dataset = made("copy-memory", delay=7)
    arrays = dataset.load("train", sequence_length=dataset.longest, vocabulary=dataset.ids())
    words = dataset.words(dataset.ids())
    for row, said in zip(arrays.x, arrays.y, strict=True):
        symbols = [words[number] for number in row if number > 3]
        assert symbols[:10] == [dataset.labels[number] for number in said]
        assert symbols[10:] == ["blank"] * 7 + ["go"] + ["blank"] * 10


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("harder", [False, True])
def test_a_solver_gets_every_example_right(name: str, harder: bool) -> None:
    options = {type(made(name)).difficulty: HARDER[type(made(name)).difficulty]} if harder else {}
    dataset = made(name, **options)
    for split in SPLITS:
        arrays = dataset.load(split, sequence_length=dataset.longest, vocabulary=dataset.ids())
        words = dataset.words(dataset.ids())
        for row, label in zip(arrays.x, arrays.y, strict=True):
            symbols = [words[number] for number in row if number > 3]
            assert row[len(row) - len(symbols) - 1] == 1  # nothing was cut off
            assert SOLVERS[name](symbols) == dataset.labels[label]
            if dataset.difficulty == "nesting":
                assert nesting_of(symbols) == dataset.nesting


def test_the_teacher_is_reproducible_balanced_and_deeper_ones_differ() -> None:
    shallow, deep = made("teacher", teacher_depth=1), made("teacher", teacher_depth=4)
    one, two = (d.load("train", sequence_length=21, vocabulary=12) for d in (shallow, deep))
    assert (one.x == two.x).all()  # the same questions
    assert 0.3 < (one.y == two.y).mean() < 0.9  # other answers
    for arrays in (one, two):
        assert 0.4 < arrays.y.mean() < 0.6


@pytest.mark.parametrize("name", DRAWN)
def test_smaller_splits_are_the_front_of_larger_ones(name: str) -> None:
    small, large = made(name, train=300), made(name, train=1200)
    length, ids = small.longest, small.ids()
    a = small.load("train", sequence_length=length, vocabulary=ids)
    b = large.load("train", sequence_length=length, vocabulary=ids)
    assert (a.x == b.x[:300]).all()
    assert (a.y == b.y[:300]).all()
    test = [d.load("test", sequence_length=length, vocabulary=ids).x for d in (small, large)]
    assert (test[0] == test[1]).all()
    assert not np.array_equal(test[0], a.x[:60])  # other examples than those trained on
    other = made(name, data_seed=1).load("train", sequence_length=length, vocabulary=ids)
    assert not np.array_equal(other.x[:300], a.x)


@pytest.mark.parametrize(
    ("name", "options"),
    [("parity", {"length": 1}), ("dyck", {"nesting": 21}), ("list-ops", {"nesting": 0}),
     ("teacher", {"data_seed": -1})],
)  # fmt: skip
def test_what_makes_no_sense_is_named(name: str, options: dict[str, int]) -> None:
    with pytest.raises(UserError, match=f"^{next(iter(options))}:"):
        made(name, **options)
