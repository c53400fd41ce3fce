"""What sequences of numbers may be without saying so: windows of one series, or padded ones."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAMPLE = 500  # sequences of which overlaps are looked for
_LEAST_SHARED = 3  # time steps
_LEAST_SHARE = 0.5  # of the sequences; if fewer overlap, it is chance, or does little harm
_LEAST_SHARE_OF_NEXT = 0.9  # of the sequences: so many are not followed by their like by chance
_FAR = 1.0  # deviations between zero and the nearest value


@dataclass(frozen=True)
class Filling:
    """Steps of zeros at the `front` or the `end` of `sequences`, and nowhere else.

    They are `sure` to be padding where all other values of a feature are far from zero.
    """

    where: str
    sequences: int
    sure: bool


def filling(x: NDArray[Any]) -> Filling | None:
    """How sequences (n, time, features) are filled up with zeros, to different lengths."""
    zero = (x == 0).all(axis=2)
    if not zero.any() or zero.all(axis=1).any():
        return None
    front, end = zero.argmin(axis=1), zero[:, ::-1].argmin(axis=1)
    for where, runs in (("front", front), ("end", end)):
        if runs.sum() == zero.sum() and len(np.unique(runs)) > 1:
            return Filling(where, int(np.count_nonzero(runs)), _far_from_zero(x[~zero]))
    return None


def _far_from_zero(values: NDArray[Any]) -> bool:
    """Whether all values (n, features) of a feature are on one side, and not near zero."""
    values = values.astype(np.float64)
    deviation = values.std(axis=0)
    nearest = np.maximum(values.min(axis=0), -values.max(axis=0))
    return bool(((deviation > 0) & (nearest > _FAR * deviation)).any())


def padded_in_front(x: NDArray[Any]) -> NDArray[Any]:
    """Sequences whose zeros at the end are moved to the front."""
    runs = (x == 0).all(axis=2)[:, ::-1].argmin(axis=1)
    steps = x.shape[1]
    places = (np.arange(steps)[None, :] - runs[:, None]) % steps
    return np.take_along_axis(x, places[..., None], axis=1)


@dataclass(frozen=True)
class Overlap:
    """Windows of one series: the `share` of sequences that go on where another one began.

    The next one begins `shift` steps later; `ordered` says whether it is also next in the file.
    """

    share: float
    shift: int
    ordered: bool


def overlap(x: NDArray[Any]) -> Overlap | None:
    """Whether most sequences of a sample have an equal part in another sequence."""
    n, length, _ = x.shape
    following = _following(x)
    if following >= _LEAST_SHARE_OF_NEXT:
        return Overlap(following, 1, ordered=True)
    block = _distinct_block(x)
    if not block:
        return None
    first = {row[:block].tobytes(): index for index, row in enumerate(x)}
    sample = np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).astype(int)).tolist()
    found = []
    for row in sample:
        for shift in range(1, length - block + 1):
            other = first.get(x[row, shift : shift + block].tobytes(), row)
            if other != row and np.array_equal(x[row, shift:], x[other, : length - shift]):
                found.append((shift, other == row + 1))
                break
    if len(found) < _LEAST_SHARE * len(sample):
        return None
    shift = Counter(shift for shift, _ in found).most_common(1)[0][0]
    ordered = sum(is_next for _, is_next in found) > len(found) / 2
    return Overlap(len(found) / len(sample), shift, ordered)


def _following(x: NDArray[Any]) -> float:
    """The share of sequences whose next one in the file is the same, one step later.

    Sequences of one value alone do not count: they are equal at any step.
    """
    n, length, _ = x.shape
    if n < 2 or length < 2:
        return 0.0
    sample = np.unique(np.linspace(0, n - 2, min(n - 1, _SAMPLE)).astype(int))
    same = (x[sample + 1, :-1] == x[sample, 1:]).all(axis=(1, 2))
    varies = (x[sample] != x[sample, :1]).any(axis=(1, 2))
    return float((same & varies).mean())


def _distinct_block(x: NDArray[Any]) -> int:
    """The fewest steps by whose values sequences can be told apart; 0 if half of them can't.

    Sequences that few symbols make up have equal parts by chance.
    """
    block = _LEAST_SHARED
    while block <= x.shape[1] // 2:
        if len({row[:block].tobytes() for row in x}) >= 0.9 * len(x):
            return block
        block *= 2
    return 0
