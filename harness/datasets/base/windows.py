"""Windows of a series as examples of a forecast, cut from it when they are needed.

The memory is that of the series: no window is kept. A compiled program gathers the windows of a
batch from the series itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Windows:
    """Examples of a forecast: example i ends at row `origins[i]` of a series.

    - `series` float32 (rows, features), scaled: the model reads the `lookback` rows that end there.
    - `targets` float32 (rows, targets), scaled: it predicts those of the `horizon` rows after it.
    - `unit` float64 (rows, targets): the same in the unit of the data.
    - `moments` (n,): numbers of the examples' times, in order of time; equal where series of a
      panel share a time. `members` (n,): the number of each example's series.
    - `means`, `deviations` (targets,): with which the targets were scaled.
    - `naive` (targets,): the mean absolute error of the seasonal naive forecast on the training
      part, in the unit; NaN where it is 0.

    Rows of several series follow each other; no window goes over the end of one.
    """

    series: NDArray[np.float32]
    targets: NDArray[np.float32]
    unit: NDArray[np.float64]
    origins: NDArray[np.int32]
    moments: NDArray[np.int64]
    members: NDArray[np.int64]
    lookback: int
    horizon: int
    means: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    deviations: NDArray[np.float64] = field(default_factory=lambda: np.ones(1))
    naive: NDArray[np.float64] = field(default_factory=lambda: np.ones(1))

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def shape(self) -> tuple[int, ...]:
        """Equal for splits that one program can train on."""
        return (len(self), *self.series.shape, self.targets.shape[1], self.lookback, self.horizon)

    @property
    def inputs(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """What a program gets, besides the places of its examples."""
        return self.series, self.targets

    def places(self, examples: NDArray[Any]) -> NDArray[np.int32]:
        """Where a program finds examples in its inputs: the rows at which they end."""
        found: NDArray[np.int32] = self.origins[examples]
        return found

    def examples(self, which: NDArray[Any] | slice) -> tuple[NDArray[Any], NDArray[Any]]:
        """Windows float32 (n, lookback, features), and targets (n, horizon · targets), or (n,).

        The targets of one step follow each other, then come those of the next step.
        """
        ends = self.origins[which].astype(np.int64)[:, None]
        x = self.series[ends + np.arange(1 - self.lookback, 1)]
        y = self.targets[ends + np.arange(1, self.horizon + 1)]
        y = y.reshape(len(ends), self.horizon * self.targets.shape[1])
        return x, y[:, 0] if y.shape[1] == 1 else y

    @cached_property
    def x(self) -> NDArray[Any]:
        """All windows at once: for small series."""
        return self.examples(slice(None))[0]

    @cached_property
    def y(self) -> NDArray[Any]:
        """All targets at once, scaled: for small series."""
        return self.examples(slice(None))[1]

    @property
    def scale(self) -> NDArray[np.float32]:
        """What turns the scaled errors of a model's outputs into the unit, (outputs,)."""
        return np.tile(self.deviations, self.horizon).astype(np.float32)

    def truth(self) -> NDArray[np.float64]:
        """The targets of all examples in the unit, (n, horizon, targets)."""
        ends = self.origins.astype(np.int64)[:, None]
        found: NDArray[np.float64] = self.unit[ends + np.arange(1, self.horizon + 1)]
        return found

    def forecasts(self, outputs: NDArray[Any]) -> NDArray[np.float64]:
        """A model's outputs (n, outputs) in the unit, (n, horizon, targets)."""
        shaped = np.asarray(outputs, np.float64).reshape(len(self), self.horizon, len(self.means))
        return shaped * self.deviations + self.means

    def pieces(self, like: Any) -> Iterator["Windows"]:
        """The examples in order, in parts whose series has as many rows as that of `like`.

        Each has as many examples as `like`, or fewer. So one program evaluates splits of any size.
        """
        rows, most, first = len(like.series), len(like), 0
        while first < len(self):
            start = int(self.origins[first]) - self.lookback + 1
            ends = self.origins[first : first + most]
            count = int(np.searchsorted(ends, start + rows - self.horizon))
            part = slice(start, start + rows)
            yield replace(
                self,
                series=_filled(self.series[part], rows),
                targets=_filled(self.targets[part], rows),
                unit=self.unit[part],
                origins=(ends[:count] - start).astype(np.int32),
                moments=self.moments[first : first + count],
                members=self.members[first : first + count],
            )
            first += count


def _filled(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array with zeros at its end, so that it has so many rows."""
    if len(array) == rows:
        return array
    return np.concatenate([array, np.zeros((rows - len(array), *array.shape[1:]), array.dtype)])
