"""How long sequences are that are filled up to one length: the array `lengths` beside `x`."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut

# Padding is recognised by its zeros, so a real step whose numbers are all 0 gets this one. It has
# no effect on a sum of float32, and is not rounded to 0.
NEARLY_ZERO = 1e-20


def checked(path: Path, lengths: NDArray[Any], x: NDArray[Any]) -> NDArray[np.int64]:
    """The lengths of the sequences `x` (n, time, features), whole numbers from 1 to time.

    Raises UserError for others.
    """
    named = f"{path}: lengths"
    if lengths.shape != x.shape[:1]:
        raise UserError(
            f"{named} has the shape {lengths.shape}; it needs the length of each sequence in x, "
            f"shape ({len(x):,},)"
        )
    if lengths.dtype.kind not in "fiu":
        raise UserError(f"{named} is of {cut(str(lengths.dtype))}; it needs whole numbers")
    for wrong, what in (
        (~(lengths == np.floor(lengths)), "not a whole number"),
        (lengths < 1, "too short: leave out sequences without a step"),
        (lengths > x.shape[1], f"longer than x, which has {x.shape[1]:,} steps"),
    ):
        if wrong.any():
            at = int(wrong.argmax())
            raise UserError(f"{named}[{at}] is {lengths[at]}: {what}")
    return lengths.astype(np.int64)


def in_front(x: NDArray[Any], lengths: NDArray[np.int64]) -> bool:
    """Whether the padding of `x` (n, time, features) is in front: zeros there, and values behind.

    Otherwise the first `lengths` steps are real.
    """
    steps = np.arange(x.shape[1])
    empty = (x == 0).all(axis=2)
    before = steps < x.shape[1] - lengths[:, None]
    return bool(empty[before].all() and not empty[steps >= lengths[:, None]].all())


def at_the_end(values: NDArray[Any], lengths: NDArray[np.int64], filling: Any) -> NDArray[Any]:
    """The first `lengths` steps of `values` (n, time, …) moved to the end, `filling` before them.

    The time is that of the longest sequence.
    """
    longest = int(lengths.max())
    found = np.full((len(values), longest, *values.shape[2:]), filling, values.dtype)
    found[real(lengths, longest)] = values[np.arange(values.shape[1]) < lengths[:, None]]
    return found


def real_steps(x: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which steps of `x` (n, time, features) are real, wherever its padding is: (n, time)."""
    if in_front(x, lengths):
        return real(lengths, x.shape[1])
    found: NDArray[np.bool_] = np.arange(x.shape[1]) < lengths[:, None]
    return found


def without_padding(values: NDArray[Any], real: NDArray[np.bool_]) -> NDArray[Any]:
    """`values` (n, time, …) with the first real one of a sequence in place of its padding."""
    first = values[np.arange(len(values)), real.argmax(axis=1)]
    return np.where(real.reshape(*real.shape, *[1] * (values.ndim - 2)), values, first[:, None])


def real(lengths: NDArray[np.int64], steps: int) -> NDArray[np.bool_]:
    """Which of so many steps are real, where padding is in front: (n, steps)."""
    found: NDArray[np.bool_] = np.arange(steps) >= steps - lengths[:, None]
    return found
