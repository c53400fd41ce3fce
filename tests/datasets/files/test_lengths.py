"""Sequences of different lengths: from `lengths` beside x, or lists in JSON Lines."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.errors import UserError
from harness.datasets.files import arrays
from harness.datasets.files.sequences import NumberFiles
from harness.search.standalone import predict_numbers

N, LONGEST = 120, 7


def ragged(seed: int = 0) -> list[Any]:
    """Sequences of two features and 1 to 7 steps, some of whose numbers are 0."""
    rng = np.random.default_rng(seed)
    found = [rng.normal(3, 1, (int(length), 2)) for length in rng.integers(1, LONGEST + 1, N)]
    for each in found[::5]:
        each[0] = 0.0
    return found


CLASSES = ["up" if each.sum() > 20 else "down" for each in ragged()]


def saved(path: Path, *, front: bool = False, filling: float = 0.0, **changes: Any) -> Path:
    """An .npz file with room for more steps than the longest sequence has."""
    found = ragged()
    x = np.full((N, LONGEST + 2, 2), filling)
    for row, each in zip(x, found, strict=True):
        row[slice(-len(each), None) if front else slice(len(each))] = each
    lengths = np.array([len(each) for each in found])
    file = path / "sequences.npz"
    np.savez(file, **{"x": x, "y": np.array(CLASSES), "lengths": lengths, **changes})
    return file


def lines(path: Path, rows: list[Any]) -> Path:
    file = path / "sequences.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def rows() -> list[dict[str, Any]]:
    found = zip(ragged(), CLASSES, strict=True)
    return [{"x": each.tolist(), "y": label} for each, label in found]


def inputs(dataset: NumberFiles) -> Any:
    return dataset.load("train", sequence_length=LONGEST + 1, vocabulary=4).x


@pytest.mark.parametrize("filling", [{"front": False}, {"front": True}, {"filling": np.nan}])
def test_padding_is_in_front_and_zero_and_nothing_else_is(
    tmp_path: Path, filling: dict[str, Any]
) -> None:
    dataset = NumberFiles.of(saved(tmp_path, **filling))
    found, chosen = inputs(dataset), dataset.split()["train"]
    every = np.concatenate([ragged()[row] for row in chosen])
    for x, row in zip(found, chosen, strict=True):
        each = ragged()[row]
        expected = (each - every.mean(axis=0)) / every.std(axis=0)
        np.testing.assert_allclose(x[-len(each) :], expected, atol=1e-5)
        assert not x[: -len(each)].any()
        assert x[-len(each) :].any(axis=1).all()
    assert dataset.limits() == {"sequence_length": LONGEST}
    assert dataset.to_mapping()["padding"] == "lengths"


def test_a_real_step_that_is_zero_for_a_network_is_no_padding(tmp_path: Path) -> None:
    x = np.ones((60, 60, 1))  # a feature that never varies becomes 0
    file = saved(tmp_path, x=x, y=np.arange(60) % 2, lengths=np.arange(60) + 1)
    dataset = NumberFiles.of(file)
    found = dataset.load("train", sequence_length=60, vocabulary=4).x[..., 0]
    assert ((found != 0).sum(axis=1) == dataset.split()["train"] + 1).all()
    assert np.abs(found).max() < 1e-10


def test_lists_in_json_lines_are_the_same_as_arrays(tmp_path: Path) -> None:
    by_lists = NumberFiles.of(lines(tmp_path, rows()))
    by_arrays = NumberFiles.of(saved(tmp_path))
    np.testing.assert_array_equal(inputs(by_lists), inputs(by_arrays))
    assert by_lists.labels == ("down", "up")
    flat = [{"numbers": [i, 2, 0.5][: 1 + i % 3], "target": i / 7} for i in range(60)]
    dataset = NumberFiles.of(lines(tmp_path, flat), x_column="numbers", y_column="target")
    assert (dataset.classes, dataset.features) == (0, 1)
    assert dataset.to_mapping()["x_column"] == "numbers"


def test_the_lengths_are_in_the_fingerprint_and_are_told(tmp_path: Path) -> None:
    dataset = NumberFiles.of(saved(tmp_path))
    contents, fingerprint = dataset.contents(print), dataset.fingerprint()
    assert contents.lines()[1] == (
        "sequences of 1 to 7 time steps of 2 numbers, half of them of at most 4"
    )
    assert contents.to_mapping()["shortest"] == 1
    longer = np.array([len(each) for each in ragged()])
    longer[0] += 1
    assert NumberFiles.of(saved(tmp_path, lengths=longer)).fingerprint() != fingerprint


@pytest.mark.parametrize("front", [False, True])
def test_each_step_has_a_class_and_padding_has_none(tmp_path: Path, front: bool) -> None:
    classes = [(each[:, 0] > 3).astype(int) for each in ragged()]
    y = np.full((N, LONGEST + 2), np.nan)
    for row, each in zip(y, classes, strict=True):
        row[slice(-len(each), None) if front else slice(len(each))] = each
    by_arrays = NumberFiles.of(saved(tmp_path, front=front, y=y))
    lists = [{"x": x.tolist(), "y": y.tolist()} for x, y in zip(ragged(), classes, strict=True)]
    by_lists = NumberFiles.of(lines(tmp_path, lists))
    for dataset in (by_arrays, by_lists):
        assert (dataset.steps, dataset.labels, dataset.ragged) == (LONGEST, ("0", "1"), True)
        assert dataset.signature.ragged
        loaded = dataset.load("test", sequence_length=LONGEST, vocabulary=4)
        np.testing.assert_array_equal(loaded.y >= 0, (loaded.x != 0).any(axis=2))
        for found, row in zip(loaded.y, dataset.split()["test"], strict=True):
            assert found[found >= 0].tolist() == classes[row].tolist()
        ones = int(sum(each.sum() for each in classes))
        assert dataset.contents(print).classes["1"] == ones


def test_the_last_steps_of_short_sequences_must_be_real(tmp_path: Path) -> None:
    y = np.random.default_rng(0).integers(0, 3, (N, 2))
    with pytest.raises(UserError, match=r"classes for the last 2 steps, but lengths\[\d+\] is 1"):
        NumberFiles.of(saved(tmp_path, y=y))
    x = np.random.default_rng(0).normal(size=(N, 5, 1))
    dataset = NumberFiles.of(saved(tmp_path, x=x, y=y, lengths=np.arange(N) % 4 + 2))
    assert (dataset.steps, dataset.ragged) == (2, False)


def test_nothing_is_said_of_padding() -> None:
    outputs = np.eye(2)[np.array([[0, 1, 1], [1, 1, 0]])]
    found = predict_numbers.rows(outputs, {"labels": ["a", "b"]}, np.array([2, 5]))
    assert [*found] == [["step 1", "step 2", "step 3"], ["", "b", "b"], ["b", "b", "a"]]


def test_a_script_without_this_package_prepares_inputs_the_same(tmp_path: Path) -> None:
    for make in (saved, lambda path: lines(path, rows())):
        dataset = NumberFiles.of(make(tmp_path))
        about = {
            "hyperparameters": {"sequence_length": LONGEST + 1},
            "dataset": dataset.to_mapping(),
            "scaling": dataset.scaling(),
        }
        for x, lengths in (
            predict_numbers.read(dataset.path, about),
            arrays.read_inputs(Path(dataset.path)),
        ):
            found = predict_numbers.encoded(x, about, False, lengths)
            expected = inputs(dataset)
            np.testing.assert_allclose(found[dataset.split()["train"]], expected, atol=1e-6)
            np.testing.assert_array_equal(found[dataset.split()["train"]] == 0, expected == 0)
    whole = predict_numbers.encoded(np.ones((2, 3, 2)), about, False)
    assert (whole != 0).any(axis=2).sum() == 6  # without lengths all steps are real


def with_lengths(**changes: Any) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        lengths = np.array([len(each) for each in ragged()], changes.get("dtype", int))
        lengths[3] = changes.get("third", lengths[3])
        return saved(path, lengths=lengths[: changes.get("n", N)])

    return make


def with_row(**changes: Any) -> Callable[[Path], Path]:
    def make(path: Path) -> Path:
        found = rows()
        found[3] = {k: v for k, v in {**found[3], **changes}.items() if v is not ...}
        return lines(path, found)

    return make


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "longer than the array": (with_lengths(third=10), r"lengths\[3\] is 10: longer than x.*9 st"),
    "zero": (with_lengths(third=0), r"lengths\[3\] is 0: too short"),
    "below zero": (with_lengths(third=-1), r"lengths\[3\] is -1: too short"),
    "not whole": (with_lengths(third=2.5, dtype=float), r"lengths\[3\] is 2.5: not a whole number"),
    "not a number": (with_lengths(third=np.nan, dtype=float), "nan: not a whole number"),
    "too few": (with_lengths(n=7), r"lengths has the shape \(7,\).*shape \(120,\)"),
    "strings": (with_lengths(dtype=str), "it needs whole numbers"),
    "an empty list": (with_row(x=[]), r"line 4: x is \[\]; it needs a list of numbers"),
    "no list": (with_row(x=3), "line 4: x is no list"),
    "texts": (with_row(x=["a"]), "line 4: x is .*it needs a list of numbers"),
    "steps of other sizes": (with_row(x=[[1, 2], [3]]), "line 4: x is .*equally many"),
    "other features": (with_row(x=[1, 2]), "line 4: x has 1 numbers a step, others have 2"),
    "no target": (with_row(y=...), "line 4 has no 'y'; it has x"),
    "an empty target": (with_row(y=None), "line 4: y is null"),
    "too few classes": (with_row(y=["up"] * 9), "line 4: y has 9 classes for . steps"),
    "a list in one line": (with_row(x=[[1, 2]], y=["up"]), "y has a list in some lines only"),
    "mixed targets": (with_row(y=3), "y has numbers and strings"),
    "infinite": (with_row(x=[[1, float("inf")]]), "1 values of x are not finite"),
    "too large": (with_row(x=[[1, 10**400]]), "too large for floating point"),
}


@pytest.mark.parametrize(("make", "complaint"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, make: Callable[[Path], Path], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint) as refused:
        NumberFiles.of(make(tmp_path))
    assert "\n" not in str(refused.value)
