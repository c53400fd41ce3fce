"""How good forecasts are, in the target's unit: MAE of each time; RMSE, MASE and sMAPE of all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.core.metrics import MAE, scored
from harness.datasets.base.windows import Windows


@dataclass(frozen=True, eq=False, kw_only=True)
class ForecastScores:
    """The scores of forecasts on one or more blocks of time.

    - `scores` (times,): the absolute error, a mean over steps, targets and the series of a panel.
    - `squared`, `scaled`, `relative` (times,): the same of squared errors, of errors in units of
      the seasonal naive forecast's on the training part, and of 200 |e| / (|truth| + |forecast|).
    - `truth`, `forecast` float32 (times, horizon, targets), of the first series at each time.
    """

    scores: NDArray[np.float64]
    squared: NDArray[np.float64]
    scaled: NDArray[np.float64]
    relative: NDArray[np.float64]
    truth: NDArray[np.float32]
    forecast: NDArray[np.float32]

    @classmethod
    def of(cls, split: Windows, forecast: NDArray[np.float64]) -> "ForecastScores":
        """The scores of forecasts (n, horizon, targets) of a split's examples, in its unit."""
        truth = split.truth()
        both = np.abs(truth) + np.abs(forecast)
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = 200 * np.abs(truth - forecast) / both
        first = np.unique(split.moments, return_index=True)[1]

        def by_time(errors: NDArray[np.float64]) -> NDArray[np.float64]:
            """The mean over steps, targets and series."""
            if not len(errors):
                return np.zeros(0)
            places = np.unique(split.moments, return_inverse=True)[1]
            sums = np.bincount(places, errors.reshape(len(errors), -1).mean(axis=1))
            found: NDArray[np.float64] = sums / np.bincount(places)
            return found

        return cls(
            scores=by_time(scored(forecast, truth, MAE)),
            squared=by_time((truth - forecast) ** 2),
            scaled=by_time(np.abs(truth - forecast) / split.naive),
            relative=by_time(relative),
            truth=truth[first].astype(np.float32),
            forecast=forecast[first].astype(np.float32),
        )

    @classmethod
    def joined(cls, parts: Sequence["ForecastScores"]) -> "ForecastScores":
        """Those of successive blocks of time as one."""
        names = ("scores", "squared", "scaled", "relative", "truth", "forecast")
        return cls(**{n: np.concatenate([getattr(each, n) for each in parts]) for n in names})

    def measures(self) -> dict[str, float | None]:
        """RMSE in the unit, MASE, and sMAPE in percent, 0 to 200; None where one is undefined.

        MASE: Hyndman and Koehler 2006, Int. J. Forecasting 22:679-688. sMAPE is undefined where
        truth and forecast are both 0.
        """
        found = {
            "RMSE": float(np.sqrt(self.squared.mean())),
            "MASE": float(self.scaled.mean()),
            "sMAPE": float(self.relative.mean()),
        }
        return {name: value if np.isfinite(value) else None for name, value in found.items()}
