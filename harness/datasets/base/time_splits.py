"""Splits that follow each other in time, with gaps between them, and their sizes.

From the end: blocks of test times, a gap, the validation split, a gap, the training split.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.dataset import SPLITS, Split
from harness.datasets.base.series import Series

SHARES = {"validation": 0.16, "test": 0.20}  # of the times that the gaps leave
LEAST = {"train": 20, "validation": 5, "test": 5}
_MOST_OF_ROWS = 10  # a lookback of at most one in so many rows leaves most of them to train
_VERBS = {"train": "train", "validation": "validate", "test": "test"}


@dataclass(frozen=True, kw_only=True)
class TimeSplits:
    """The sizes, in times, of splits of windows; `sizes` has those that are given.

    The `test` times are `folds` blocks. Fold number `fold` tests on one of them, and trains and
    validates on what lies before it. `source` is what messages call the data.
    """

    source: str
    lookback: int
    horizon: int
    sizes: Mapping[str, int]
    folds: int = 1
    fold: int = 1

    @property
    def gap(self) -> int:
        """The times left out between two splits, at least."""
        return self.lookback + self.horizon

    def complete(self, series: Series) -> dict[str, int]:
        """All sizes: those that are not given are 64, 16 and 20 % of what the gaps leave.

        Raises UserError where there are too few rows.
        """
        times = np.unique(series.moments[series.ends(self.lookback, self.horizon)])
        room = len(times) - 2 * self.gap
        left = room - LEAST["train"]
        found = dict(self.sizes)
        for name, share in SHARES.items():
            if name not in found:
                others = LEAST["test"] if name == "validation" else 0
                size = max(LEAST[name], min(round(share * room), left - others))
                if name == "test":
                    size = max(1, size // self.folds) * self.folds
                found[name] = size
                left -= size
        if "train" not in found:
            found["train"] = room - sum(found.values())
            if found["train"] < LEAST["train"]:
                raise self.too_few(series)
        return found

    def rows(self, series: Series, moments: NDArray[np.int64]) -> dict[Split, NDArray[np.int64]]:
        """The rows at which the windows of each split end; all sizes are given.

        Raises UserError for sizes that do not fit.
        """
        ends = series.ends(self.lookback, self.horizon)
        times = np.unique(moments[ends])
        block = self.sizes["test"] // self.folds
        last = len(times) - (self.folds - self.fold) * block
        before, test = times[: max(0, last - block)], times[max(0, last - block) : max(0, last)]
        if len(test) < block:
            raise self.too_few(series)
        # A later fold has what the blocks before its own add.
        wanted: dict[Split, int] = {
            "validation": self.sizes["validation"],
            "train": self.sizes["train"] + (self.fold - 1) * block,
        }
        chosen: dict[Split, NDArray[np.int64]] = {"test": test}
        following = test
        for split, size in wanted.items():
            if len(following):
                before = before[before < following[0] - self.gap]
            following = before[-size:]
            if len(following) < (1 if split == "train" and self.fold > 1 else size):
                raise self.too_few(series)
            chosen[split] = following
        of_ends = moments[ends]
        return {split: ends[np.isin(of_ends, chosen[split])] for split in SPLITS}

    def too_few(self, series: Series) -> UserError:
        """The error for too few rows, with the number that is needed."""
        rows = int(series.moments.max()) + 1 if len(series) else 0
        sizes = LEAST | {"test": max(LEAST["test"], self.folds)} | dict(self.sizes)
        needed = self.lookback - 1 + 2 * self.gap + self.horizon + sum(sizes.values())
        needed = max(needed + int(series.filled.sum()), rows + 1)
        splits = ", ".join(f"{sizes[name]:,} to {verb}" for name, verb in _VERBS.items())
        return UserError(
            f"{self.source}: {rows:,} rows are too few: {needed:,} are needed for a lookback of "
            f"{self.lookback:,}, a horizon of {self.horizon:,} and the splits ({splits}, with gaps "
            f"of {self.gap:,} between them); add rows, or lower --horizon or sequence_length"
        )


def longest_lookback(series: Series, horizon: int, sizes: int = sum(LEAST.values())) -> int:
    """The longest windows that leave most rows to train, and splits of so many times in all."""
    rows = int(series.moments.max()) + 1
    left = rows - int(series.filled.sum()) - 3 * horizon - sizes + 1
    return max(1, min(rows // _MOST_OF_ROWS, left // 3))
