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


def by_arm(records: Records) -> dict[str, dict[str, Cell]]:
    """Arm → measure → cell, of the epoch that is scored: the last one, or the best one."""
    wanted = records.manifest.published.get("arms") or {}
    epochs, replicates = records.replicate_epochs, records.replicates
    keys = ["arm", "search", "replicate"]
    scored = replicates.loc[replicates["state"] == "complete", [*keys, "best_epoch"]]
    ours = epochs.merge(scored, on=keys)
    last = ours.groupby(keys)["epoch"].transform("max")
    patient = records.manifest.spec.get("patience", 0) is not None  # None: no early stopping
    ours = ours[ours["epoch"] == (ours["best_epoch"] if patient else last)]
    return {
        arm: {
            measure: _of(ours.loc[ours["arm"] == arm, measure], value)
            for measure, value in measures.items()
            if measure in MEASURES
        }
        for arm, measures in wanted.items()
        if isinstance(measures, dict)
    }


def _cell(ours: "pd.DataFrame", measure: str, epoch: int, value: float) -> Cell:
    return _of(ours.loc[ours["epoch"] == epoch, measure], value)


def _of(column: "pd.Series[float]", value: float) -> Cell:
    found = column.dropna().to_numpy(float)
    found = found[np.isfinite(found)]
    if not len(found):
        return Cell(value, None, None, 0)
    estimate = over_seeds(found)
    interval = estimate.interval() if len(found) > 1 else None
    return Cell(value, estimate.mean, interval, len(found))
