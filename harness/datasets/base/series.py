"""One series over time, or several of a panel: values, times, and where windows may end."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.frequency import Frequency, calendar


@dataclass(frozen=True, eq=False, kw_only=True)
class Series:
    """Rows in order of time, those of one series after those of another.

    - `values` float64 (rows, columns), of the columns in `names`.
    - `times` (rows,): datetime64[ns], or float64. `bounds`: where each of `members` begins, and the
      number of rows.
    - `filled` (rows,): rows with values that were not in the source but put between others. They
      know the value that follows, so no window ends there.
    - `left_out` and `notes` are for `Contents`.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    times: NDArray[Any]
    bounds: NDArray[np.int64]
    frequency: Frequency
    filled: NDArray[np.bool_]
    members: tuple[str, ...] = ("",)
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @classmethod
    def single(
        cls, values: Mapping[str, NDArray[Any]], times: NDArray[Any], frequency: Frequency
    ) -> "Series":
        """One series without anything filled."""
        return cls(
            values=np.stack([np.asarray(each, np.float64) for each in values.values()], axis=1),
            names=tuple(values),
            times=times,
            bounds=np.array([0, len(times)]),
            frequency=frequency,
            filled=np.zeros(len(times), bool),
        )

    def __len__(self) -> int:
        return len(self.times)

    @property
    def of_row(self) -> NDArray[np.int64]:
        """The number of each row's series."""
        return np.repeat(np.arange(len(self.members)), np.diff(self.bounds))

    @property
    def moments(self) -> NDArray[np.int64]:
        """For each row the number of its time among all times, from 0."""
        if len(self.members) == 1:
            return np.arange(len(self), dtype=np.int64)
        return np.unique(self.times, return_inverse=True)[1].astype(np.int64)

    def columns(self, names: tuple[str, ...]) -> NDArray[np.float64]:
        """The values of some columns, (rows, columns)."""
        if names == self.names:
            return self.values
        return self.values[:, [self.names.index(name) for name in names]]

    def ends(self, lookback: int, horizon: int) -> NDArray[np.int64]:
        """The rows at which a window may end: with `lookback` rows before, `horizon` after it."""
        rows = [
            np.arange(start + lookback - 1, end - horizon)
            for start, end in zip(self.bounds[:-1], self.bounds[1:], strict=True)
        ]
        found = np.concatenate([np.zeros(0, np.int64), *rows]).astype(np.int64)
        return found[~self.filled[found]]

    def sha256(self) -> str:
        """The hash of all that models and scores depend on."""
        whole = hashlib.sha256(repr((self.names, self.members, self.frequency)).encode())
        for array in (self.values, self.times.view(np.int64), self.bounds, self.filled):
            whole.update(np.ascontiguousarray(array).tobytes())
        return whole.hexdigest()


def channels(
    series: Series,
    inputs: tuple[str, ...],
    known: tuple[str, ...],
    horizon: int,
    with_calendar: bool,
) -> tuple[NDArray[np.float64], list[str]]:
    """What a model reads at each row, (rows, features), and the features' names.

    The columns `inputs`; those known in advance twice, as they are and as they will be `horizon`
    rows later, so that the last `horizon` rows of a window have the values of the steps to be
    forecast; and features of the calendar. After the end of a series what is known is 0.
    """
    parts = [series.columns((*inputs, *known))]
    names = [*inputs, *known]
    if known:
        ahead = np.zeros((len(series), len(known)))
        now = series.columns(known)
        for start, end in zip(series.bounds[:-1], series.bounds[1:], strict=True):
            ahead[start : max(start, end - horizon)] = now[min(end, start + horizon) : end]
        parts.append(ahead)
        names += [f"{name}, {horizon} later" for name in known]
    if with_calendar:
        found, called = calendar(series.times, series.frequency)
        parts.append(found)
        names += called
    return (parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)), names
