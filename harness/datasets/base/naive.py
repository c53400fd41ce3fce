"""Forecasts to be beaten: last value, seasonal, drift, and a ridge autoregression.

The first three are the simple methods of Hyndman and Athanasopoulos, "Forecasting: principles and
practice", 3rd edition, section 5.2.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Split
from harness.datasets.base.forecast import Forecast, prepared
from harness.datasets.base.windows import Windows

RIDGE = "ridge"
ALPHAS = (
    0.1,
    1.0,
    10.0,
    100.0,
    1000.0,
)  # penalties, on scaled numbers; the validation split decides
_MOST_NUMBERS = 20_000_000  # of the windows that ridge learns from: 160 MB
_AT_ONCE = 2_000_000  # numbers of the windows that are forecast at a time


def last(dataset: Forecast, split: Split) -> NDArray[np.float64]:
    """The last value, for every step: (n, horizon, targets)."""
    state = prepared(dataset)
    return np.repeat(state.unit[state.rows[split]][:, None], dataset.horizon, axis=1)


def seasonal(dataset: Forecast, split: Split) -> NDArray[np.float64]:
    """The value of the same step of the last season; the last value where there is none."""
    state = prepared(dataset)
    rows, steps = state.rows[split], np.arange(1, dataset.horizon + 1)
    ahead = steps - state.season * -(-steps // state.season)
    source = rows[:, None] + ahead
    source = np.where(source < _starts(dataset, rows)[:, None], rows[:, None], source)
    found: NDArray[np.float64] = state.unit[source]
    return found


def drift(dataset: Forecast, split: Split) -> NDArray[np.float64]:
    """On from the last value, as steep as from the first value of the series to the last."""
    state = prepared(dataset)
    rows = state.rows[split]
    starts = _starts(dataset, rows)
    slope = (state.unit[rows] - state.unit[starts]) / np.maximum(1, rows - starts)[:, None]
    steps = np.arange(1, dataset.horizon + 1)[:, None]
    found: NDArray[np.float64] = state.unit[rows][:, None] + steps * slope[:, None]
    return found


def ridge(dataset: Forecast, split: Split) -> NDArray[np.float64]:
    """A linear forecast from the longest window, by scikit-learn's Ridge, with several outputs.

    It learns from at most so many windows, evenly spread, that they take 160 MB.
    """
    from sklearn.linear_model import Ridge

    windows = {
        each: dataset.load(each, sequence_length=dataset.lookback, vocabulary=4)
        for each in ("train", "validation", split)
    }
    numbers = dataset.lookback * dataset.features
    x, y = _flat(_spread(windows["train"], _MOST_NUMBERS // numbers))
    checked = _spread(windows["validation"], _MOST_NUMBERS // numbers // 4)
    models = [Ridge(alpha=alpha).fit(x, y) for alpha in ALPHAS]
    held_out, truth = _flat(checked)
    errors = [
        np.mean((model.predict(held_out).reshape(truth.shape) - truth) ** 2) for model in models
    ]
    best = models[int(np.argmin(errors))]
    found = windows[split]
    size = max(1, _AT_ONCE // numbers)
    outputs = [
        best.predict(_flat(_part(found, slice(first, first + size)))[0]).reshape(-1, y.shape[1])
        for first in range(0, len(found), size)
    ]
    return found.forecasts(np.concatenate(outputs))


FORECASTS = {"last": last, "seasonal": seasonal, "drift": drift, RIDGE: ridge}


def _starts(dataset: Forecast, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first row of each row's series."""
    bounds = dataset.series().bounds
    return bounds[np.searchsorted(bounds, rows, side="right") - 1]


def _part(split: Windows, which: slice | NDArray[np.int64]) -> Windows:
    return replace(split, origins=split.origins[which])


def _spread(split: Windows, most: int) -> Windows:
    """At most so many examples, evenly spread."""
    if len(split) <= most:
        return split
    return _part(split, np.linspace(0, len(split) - 1, max(1, most)).astype(np.int64))


def _flat(split: Windows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Windows (n, lookback · features) and targets (n, outputs), scaled."""
    x, y = split.examples(slice(None))
    return x.reshape(len(x), -1).astype(np.float64), y.reshape(len(y), -1).astype(np.float64)
