"""What the training part of a series says of its scale: means, deviations, season, naive error."""

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.series import Series


def moments_of(
    values: NDArray[np.float64], training: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of each column. One that never varies becomes 0: its deviation is 1."""
    means, deviations = np.empty(values.shape[1]), np.empty(values.shape[1])
    for column in range(values.shape[1]):  # one at a time, for the memory
        learnt = values[training, column]
        constant = learnt.min() == learnt.max()
        means[column] = learnt[0] if constant else learnt.mean()
        deviations[column] = 1.0 if constant else learnt.std() or 1.0
    return means, deviations


def scaled(
    values: NDArray[np.float64], means: NDArray[np.float64], deviations: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Each column less its mean, by its deviation, in double precision until the end."""
    found = np.empty(values.shape, np.float32)
    for column, (mean, deviation) in enumerate(zip(means, deviations, strict=True)):
        found[:, column] = (values[:, column] - mean) / deviation
    return found


def check_varying(source: str, target: str, values: NDArray[np.float64], where: str = "") -> None:
    """Raises UserError for a target that is constant."""
    if values.min() == values.max():
        raise UserError(
            f"{source}: target {target!r} is {values[0]:g}{where}; there is nothing to forecast: "
            "name another --target-column"
        )


def season_of(given: int | None, series: Series, training: int) -> tuple[int, str]:
    """The season in steps, and a sentence where there is none; `training` counts its times."""
    if given is not None:
        if given >= training:
            raise UserError(
                f"--season {given}: the training part has {training:,} times; give a shorter one"
            )
        return given, ""
    guessed = series.frequency.season
    if guessed >= training:
        few = f"too few rows for a season of {guessed:,} steps"
        return 1, f"{few}: none is used (--season names one)"
    if guessed == 1:
        return 1, (
            "the frequency suggests no season, so the seasonal baseline is the last value "
            "(--season names one)"
        )
    return guessed, ""


def naive_error(
    series: Series, unit: NDArray[np.float64], training: NDArray[np.bool_], season: int
) -> NDArray[np.float64]:
    """The mean absolute error of the seasonal naive forecast on the training part, by target.

    It is what MASE divides by: Hyndman and Koehler 2006, Int. J. Forecasting 22:679-688. NaN where
    it is 0.
    """
    total, count = np.zeros(unit.shape[1]), 0
    for start, end in zip(series.bounds[:-1], series.bounds[1:], strict=True):
        values, used = unit[start:end], training[start:end]
        errors = np.abs(values[season:] - values[:-season])[used[season:] & used[:-season]]
        total += errors.sum(axis=0)
        count += len(errors)
    found = total / max(1, count)
    return np.where(found > 0, found, np.nan)
