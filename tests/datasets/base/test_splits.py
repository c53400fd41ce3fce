"""Splits: proportions, no shared duplicates, nesting, sizes that do not fit."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.core.errors import UserError
from harness.datasets.base.splits import stratified


def rows_of(n: int, copies: list[int], **sizes: int) -> dict[str, np.ndarray]:
    labels = np.arange(n, dtype=np.int32) * 2 // n  # by class, as the file has them
    duplicates = np.zeros(n, bool)
    duplicates[copies] = True
    return dict(stratified(labels, duplicates, **{"seed": 0, **sizes}))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_splits_are_disjoint_balanced_and_keep_copies_for_training(data: st.DataObject) -> None:
    n = 2 * data.draw(st.integers(5, 60), "half")
    copies = data.draw(st.lists(st.integers(0, n - 1), unique=True, max_size=n // 2), "copies")
    train = data.draw(st.integers(1, n - 1), "train")
    validation = data.draw(st.integers(1, n - train), "validation")
    test = data.draw(st.integers(0, n - train - validation), "test")
    # A class has n / 2 rows, of which half the held-out ones, rounded up, must be single.
    fewest = min(n // 2 - sum(lo <= row < lo + n // 2 for row in copies) for lo in (0, n // 2))
    assume(fewest >= (validation + test + 1) // 2)
    rows = rows_of(n, copies, train=train, validation=validation, test=test)
    everything = np.concatenate(list(rows.values()))
    assert len(set(everything.tolist())) == train + validation + test
    assert {split: len(some) for split, some in rows.items()} == {
        "train": train,
        "validation": validation,
        "test": test,
    }
    for some in rows.values():
        positive = int((some >= n // 2).sum())
        assert abs(len(some) - 2 * positive) <= 1
    assert not set(copies) & set(rows["validation"].tolist() + rows["test"].tolist())


def test_all_rows_can_be_used() -> None:
    for train, validation, test in ((51, 29, 20), (50, 29, 21), (51, 28, 21), (33, 33, 34)):
        rows = rows_of(100, [1, 99], train=train, validation=validation, test=test)
        assert sorted(np.concatenate(list(rows.values()))) == list(range(100))
        assert {1, 99} <= set(rows["train"].tolist())


def test_unequal_classes_keep_their_proportions() -> None:
    labels = np.repeat(np.arange(3, dtype=np.int32), [600, 300, 100])
    rows = stratified(labels, np.zeros(1000, bool), train=500, validation=200, test=99, seed=3)
    for some in rows.values():
        counts = np.bincount(labels[some], minlength=3)
        np.testing.assert_allclose(counts, len(some) * np.array([0.6, 0.3, 0.1]), atol=1.01)


@settings(deadline=None)
@given(
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_smaller_splits_are_parts_of_larger_ones(
    train: int, less_train: int, validation: int, less_validation: int, test: int, less_test: int
) -> None:
    copies = [3, 4, 70]
    whole = rows_of(100, copies, train=train, validation=validation, test=test)
    part = {"train": train, "validation": validation, "test": test}

    def within(split: str, **sizes: int) -> bool:
        other = rows_of(100, copies, **(part | sizes))
        a, b = set(whole[split].tolist()), set(other[split].tolist())
        return a <= b or b <= a

    assert within("train", train=less_train)
    assert within("validation", validation=less_validation, train=less_train, test=less_test)
    assert within("test", test=less_test, train=less_train)


def test_a_quick_look_does_not_validate_on_the_full_test_split() -> None:
    full = rows_of(100, [], train=60, validation=20, test=20)
    quick = rows_of(100, [], train=10, validation=5, test=5)
    assert not set(quick["validation"].tolist()) & set(full["test"].tolist())
    assert not set(quick["train"].tolist()) & set(full["test"].tolist())


def test_the_seed_changes_the_split_and_rows_are_mixed() -> None:
    sizes = {"train": 50, "validation": 20, "test": 20}
    one, again, other = (rows_of(100, [], **sizes, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one["test"], again["test"])
    assert set(one["test"].tolist()) != set(other["test"].tolist())
    assert one["train"].tolist() != sorted(one["train"].tolist())


def test_the_shuffle_is_frozen() -> None:
    # The same with every version: old studies must stay comparable.
    rows = rows_of(20, [], train=4, validation=4, test=2)
    assert {split: some.tolist() for split, some in rows.items()} == {
        "train": [3, 0, 15, 12],
        "validation": [18, 1, 19, 8],
        "test": [10, 6],
    }


def test_sizes_that_do_not_fit_are_named() -> None:
    with pytest.raises(UserError, match=r"60 \+ 30 \+ 20 = 110 examples, but there are 100"):
        rows_of(100, [], train=60, validation=30, test=20)
    with pytest.raises(UserError, match="needs 30 examples that occur once, but there are 10"):
        rows_of(100, list(range(40)), train=20, validation=30, test=30)


def test_a_class_of_copies_is_named_with_what_to_do() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int32), 50)
    sizes = {"train": 60, "validation": 20, "test": 20, "seed": 0}
    with pytest.raises(UserError, match="of class 'good' that occur once, but there are 0") as told:
        stratified(labels, labels == 1, **sizes, names=("bad", "good"))
    assert "leave out repeated rows" in str(told.value)
    assert "smaller" not in str(told.value)  # no size would do
