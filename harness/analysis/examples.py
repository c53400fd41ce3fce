"""How much of a mean or a difference comes from the test examples: independent ones, or times.

Examples of most tasks are independent of one another. Forecasts are not: times follow one another,
their horizons overlap, and errors persist. So for forecasts the variance is estimated over blocks
of consecutive times, by the means of non-overlapping blocks and Student's t (batch means; Lahiri
2003, "Resampling Methods for Dependent Data", chapter 2; Ibragimov and Müller 2010, Journal of
Business & Economic Statistics 28:453-468). A few long blocks, with the t of their number, keep the
level where a variance from short lags does not (Kiefer and Vogelsang 2005, Econometric Theory
21:1130-1164, on fixed-b). The forecasts compared are those of Diebold and Mariano (1995, Journal
of Business & Economic Statistics 13:253-263): here their differences in loss have a mean.

A block is as long as two horizons, and as three correlation times, and there are at most 24 of
them. The correlation time is the longest of the difference and of both forecasts' own errors,
because the difference alone often shows too little of it. If there are fewer than five such blocks,
nothing is said. All of it is held by a simulation, tests/benchmarks/forecast_calibration.py.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HORIZONS = 2  # that a block covers at least
CORRELATION_TIMES = 3
MIN_BLOCKS = 5  # for a verdict
MOST_BLOCKS = 24  # longer blocks depend less on one another, and more hardly sharpen the t
WINDOW = 5  # correlation times that the sum of correlations covers

Series = NDArray[np.float64]


@dataclass(frozen=True)
class Scoring:
    """How scores are to be read.

    With `horizon`, the number of steps forecast, examples are times in their order. None says that
    examples are independent of one another.
    """

    higher_is_better: bool = True
    horizon: int | None = None


PLAIN = Scoring()  # of accuracies


class Part(NamedTuple):
    """The variance of a mean over test examples, and its degrees of freedom.

    `blocks` is the number of blocks of time; None where examples are independent.
    """

    variance: float
    freedom: float
    blocks: int | None = None

    @property
    def too_few(self) -> bool:
        """Whether there are too few blocks of time for a verdict."""
        return self.blocks is not None and self.blocks < MIN_BLOCKS


def of_difference(a: Series, b: Series, horizon: int | None) -> Part:
    """The part of a mean of `a - b`; both of shape (examples,).

    For forecasts the examples are in order of time, and `horizon` is the number of steps forecast;
    None says that examples are independent.
    """
    return _part(a - b, horizon, (a - b, a, b))


def of_mean(scores: Series, horizon: int | None) -> Part:
    """The part of the mean of `scores`, shape (examples,)."""
    return _part(scores, horizon, (scores,))


def covariance(arms: Series, horizon: int | None) -> tuple[NDArray[np.float64], float] | None:
    """The covariance (arms, arms) of the means of scores (arms, examples), and its freedom.

    None if there are too few blocks of time.
    """
    n = arms.shape[1]
    if horizon is None:
        return np.atleast_2d(np.cov(arms, ddof=0)) / n, math.inf
    blocks = count_blocks(n, horizon, max(correlation_time(row, horizon) for row in arms))
    if blocks < MIN_BLOCKS:
        return None
    return np.atleast_2d(np.cov(block_means(arms, blocks))) / blocks, blocks - 1.0


def _part(values: Series, horizon: int | None, persist: tuple[Series, ...]) -> Part:
    """The part of the mean of `values`; the longest correlation time of `persist` counts."""
    n = len(values)
    if horizon is None:
        return Part(float(values.var()) / n, float(max(1, n - 1)))
    time = max(correlation_time(each, horizon) for each in persist)
    blocks = count_blocks(n, horizon, time)
    if blocks < 2:
        return Part(math.inf, 0.0, blocks)
    of_blocks = float(block_means(values, blocks).var(ddof=1)) / blocks
    # Few blocks may happen to vary little: no less than what the correlation time says.
    return Part(max(of_blocks, time * float(values.var()) / n), blocks - 1.0, blocks)


def count_blocks(n: int, horizon: int, time: float) -> int:
    """How many blocks `n` times are cut into; 0 where not even one is long enough."""
    length = max(float(HORIZONS * horizon if horizon > 1 else 1), CORRELATION_TIMES * time)
    if not math.isfinite(length):
        return 0
    return min(MOST_BLOCKS, int(n / length))


def block_means(values: NDArray[np.float64], blocks: int) -> NDArray[np.float64]:
    """The means of `blocks` equal blocks along the last axis, without the few first times."""
    length = values.shape[-1] // blocks
    cut = values[..., -blocks * length :].reshape(*values.shape[:-1], blocks, length)
    means: NDArray[np.float64] = cut.mean(axis=-1)
    return means


def correlation_time(values: Series, horizon: int) -> float:
    """How many times count as one: 1 plus twice the sum of the correlations, at least 1.

    The sum covers the horizon twice, and five correlation times (Sokal 1997, "Monte Carlo Methods
    in Statistical Mechanics", section 3). It is corrected for the mean, which is estimated from the
    same times. Infinite where the series is too short for that.
    """
    n = len(values)
    lags = np.arange(1, n // 2)
    if not len(lags):
        return math.inf
    centred = values - values.mean()
    total = float(centred @ centred)
    if not total > 1e-24 * n:
        return 1.0  # all are equal
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    correlations = np.fft.irfft(spectrum, 2 * n)[: n // 2] / total
    times = 1 + 2 * np.cumsum(correlations[1:])
    wide = np.flatnonzero(lags >= np.maximum(WINDOW * times, HORIZONS * horizon))
    last = int(wide[0]) if len(wide) else len(lags) - 1
    left = 1 - (2 * int(lags[last]) + 1) / n
    return max(1.0, float(times[last]) / left) if left > 0.1 else math.inf
