"""Windows of one series, and sequences filled up with zeros, are found; others are left alone."""

from typing import Any

import numpy as np
import pytest

from harness.datasets.files import windows

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(900, 2)).cumsum(axis=0).astype(np.float32)


def cut(shift: int, length: int = 20) -> Any:
    starts = range(0, len(SERIES) - length, shift)
    return np.stack([SERIES[start : start + length] for start in starts])


@pytest.mark.parametrize("shift", [1, 3, 15])
def test_windows_are_found_in_any_order(shift: int) -> None:
    found = windows.overlap(cut(shift))
    assert found is not None
    assert (found.shift, found.ordered) == (shift, True)
    assert found.share > 0.9
    mixed = windows.overlap(RNG.permutation(cut(shift)))
    assert mixed is not None
    assert (mixed.shift, mixed.ordered) == (shift, False)


@pytest.mark.parametrize("length", [2, 3, 5, 20])
def test_short_windows_that_follow_each_other_are_found(length: int) -> None:
    found = windows.overlap(cut(1, length))
    assert found is not None
    assert (found.shift, found.ordered) == (1, True)
    few = windows.overlap(np.sign(np.diff(cut(1, 30), axis=1)))  # two values: windows all the same
    assert few is not None
    assert few.shift == 1


@pytest.mark.parametrize(
    "x",
    [
        cut(20),
        RNG.integers(0, 2, (200, 2, 1)),
        RNG.normal(size=(200, 20, 1)),
        RNG.integers(0, 2, (200, 12, 1)),
        RNG.integers(0, 2, (200, 60, 1)),
        RNG.integers(0, 10, (500, 30, 1)),
        np.ones((200, 9, 1)),
        np.tile(np.arange(30.0), (200, 1))[..., None],
        np.repeat(RNG.normal(size=(100, 20, 1)), 2, axis=0),
        RNG.normal(size=(60, 1, 1)),
    ],
)
def test_other_sequences_do_not_overlap(x: Any) -> None:
    assert windows.overlap(x) is None


def filled(x: Any, where: str) -> Any:
    x = x.copy()
    for row, steps in zip(x, RNG.integers(0, 10, len(x)), strict=True):
        if steps:
            row[(slice(None, steps) if where == "front" else slice(-steps, None))] = 0
    return x


@pytest.mark.parametrize("where", ["front", "end"])
def test_zeros_at_one_end_are_padding(where: str) -> None:
    x = filled(RNG.normal(100, 2, (80, 20, 2)), where)
    found = windows.filling(x)
    assert found is not None
    assert (found.where, found.sure) == (where, True)
    assert found.sequences == (x[:, 0 if where == "front" else -1] == 0).all(axis=1).sum()
    # Where other values are near zero it may be a value as well.
    near = windows.filling(filled(RNG.normal(0, 1, (80, 20, 2)), where))
    assert near is not None
    assert not near.sure


def test_other_zeros_are_values() -> None:
    rain = np.maximum(RNG.normal(0, 1, (80, 20, 1)), 0)
    assert windows.filling(rain) is None
    from_zero = RNG.normal(5, 1, (80, 20, 1))
    from_zero[:, 0] = 0
    assert windows.filling(from_zero) is None
    assert windows.filling(RNG.normal(5, 1, (80, 20, 1))) is None
    step = (np.arange(20)[None, :] >= RNG.integers(1, 19, 80)[:, None])[..., None].astype(float)
    found = windows.filling(step)
    assert found is not None
    assert not found.sure


def test_padding_moves_to_the_front() -> None:
    x = filled(RNG.normal(100, 2, (80, 20, 2)), "end")
    moved = windows.padded_in_front(x)
    for before, after in zip(x, moved, strict=True):
        steps = int((before != 0).any(axis=1).sum())
        np.testing.assert_array_equal(after[-steps:], before[:steps])
        assert not after[:-steps].any()
