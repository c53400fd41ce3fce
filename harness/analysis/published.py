"""Published figures, epoch by epoch, beside the means of the replicates. No Keras."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.analysis.statistics import Interval, over_seeds
from harness.results.records import Records
from harness.spec.choices import MEASURES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cell:
    """One measure after one epoch: the published figure, the replicates' mean, its t interval.

    `interval` is a 95 % interval over seeds; None with fewer than two replicates. `n` is the number
    of replicates.
    """

    published: float
    mean: float | None
    interval: Interval | None
    n: int

    @property
    def inside(self) -> bool | None:
        """Whether the published figure lies in the interval; None without one."""
        return (
            None
            if self.interval is None
            else (self.interval.low <= self.published <= self.interval.high)
        )


def by_epoch(records: Records) -> dict[str, dict[int, Cell]]:
    """Measure → epoch → cell, of the first arm's replicates; empty without published figures."""
    published = records.manifest.published
    if not published:
        return {}
    ours = records.replicate_epochs
    ours = ours[ours["arm"] == records.arms[0]]
    return {
        measure: {
            epoch: _cell(ours, measure, epoch, value)
            for epoch, value in enumerate(published[measure], start=1)
        }
        for measure in MEASURES
        if measure in published
    }


def _cell(ours: "pd.DataFrame", measure: str, epoch: int, value: float) -> Cell:
    found = ours.loc[ours["epoch"] == epoch, measure].dropna().to_numpy(float)
    found = found[np.isfinite(found)]
    if not len(found):
        return Cell(value, None, None, 0)
    estimate = over_seeds(found)
    interval = estimate.interval() if len(found) > 1 else None
    return Cell(value, estimate.mean, interval, len(found))
