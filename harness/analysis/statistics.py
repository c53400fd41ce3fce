"""How much of a difference is real: intervals, paired differences, verdicts. No Keras.

Accuracies vary for two reasons: the seed of the training, and which examples the test split
contains. `scores` is a matrix with one row per seed and one column per test example; its mean is
the accuracy. A vector with one value per seed leaves the examples out.

A mean gets two intervals: Student's t over seeds, and one over seeds and examples together. The
second is from the bootstrap that draws rows and columns independently (Owen 2007, "The pigeonhole
bootstrap", Annals of Applied Statistics 1:386-411). Differences between arms are paired, seed by
seed and example by example, and use the second.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis import examples
from harness.core.metrics import Metric

CONFIDENCE = 0.95
POWER = 0.8  # how often a detectable difference is found
MAX_REPLICATES = 1000  # more than this is not practical advice

Verdict = Literal["better", "worse", "equivalent", "inconclusive"]


class Interval(NamedTuple):
    low: float
    high: float


EVERYTHING = Interval(-math.inf, math.inf)


def possible(interval: Interval, metric: Metric) -> Interval:
    """The possible part of a mean's interval: an accuracy is never below 0 or above 1.

    R² has no lower bound, and errors no upper one. An interval without bounds stays as it is.
    """
    if math.isinf(interval.low):
        return interval
    return Interval(max(metric.least, interval.low), min(metric.most, interval.high))


@dataclass(frozen=True)
class MeanEstimate:
    """A mean, its standard error, and the degrees of freedom of its Student's t.

    `seeds` is the number of rows. `seed_variance` is the part of the variance that more seeds
    reduce, given for one seed; `rest` is the part that they do not reduce.
    """

    mean: float
    error: float
    freedom: float
    seeds: int
    seed_variance: float
    rest: float

    @property
    def known(self) -> bool:
        """Whether there is an error: there are two seeds, and blocks of time for forecasts."""
        return self.seeds > 1 and math.isfinite(self.error)

    def interval(self, alpha: float = 1 - CONFIDENCE) -> Interval:
        """Mean ± t · standard error; without bounds where the error is not known."""
        if not self.known:
            return EVERYTHING
        half = t_quantile(1 - alpha / 2, self.freedom) * self.error
        return Interval(self.mean - half, self.mean + half)

    @property
    def p(self) -> float:
        """Two-sided p value of the hypothesis that the mean is 0."""
        from scipy import stats

        if not self.known:
            return 1.0
        if self.error == 0.0:
            return 1.0 if self.mean == 0.0 else 0.0
        return float(2 * stats.t.sf(abs(self.mean) / self.error, self.freedom))

    @property
    def above_zero(self) -> float | None:
        """The probability that the true mean is above 0, by the same t; None if unknown."""
        from scipy import stats

        if not self.known:
            return None
        if self.error == 0.0:
            return 0.5 * (1.0 + float(np.sign(self.mean)))
        return float(stats.t.cdf(self.mean / self.error, self.freedom))


def over_seeds(values: ArrayLike) -> MeanEstimate:
    """The mean over seeds with Student's t; `values` has shape (n,), one value per seed."""
    array = np.asarray(values, np.float64)
    n = len(array)
    variance = float(array.var(ddof=1)) if n > 1 else math.inf
    return MeanEstimate(
        mean=float(array.mean()),
        error=math.sqrt(variance / n),
        freedom=n - 1,
        seeds=n,
        seed_variance=variance,
        rest=0.0,
    )


def over_seeds_and_examples(scores: ArrayLike, horizon: int | None = None) -> MeanEstimate:
    """The mean of a matrix (seeds, examples), with the error from new seeds and new examples.

    The variance is that of the pigeonhole bootstrap, computed exactly instead of by drawing. It has
    three parts: one from the means of rows, one from the means of columns, one from the residuals.
    The bootstrap draws R - 1 of R seeds (Rao and Wu 1988, JASA 83:231-241); with R, intervals from
    few seeds would be too narrow. Degrees of freedom are Satterthwaite's (1946, Biometrics Bulletin
    2:110-114). The interval is rather too wide than too narrow: residuals count three times. With
    the `horizon` of forecasts, the part of the columns is estimated over blocks of time.
    """
    matrix = np.asarray(scores, np.float64)
    if matrix.ndim == 1:
        return over_seeds(matrix)
    rows, columns = matrix.shape
    mean = float(matrix.mean())
    if rows < 2:
        return MeanEstimate(mean, math.inf, 0.0, rows, math.inf, 0.0)
    by_row = float(matrix.mean(axis=1).var())
    by_column = matrix.mean(axis=0)
    both = max(0.0, float(matrix.var()) - by_row - float(by_column.var()))
    of_rows, part = by_row / (rows - 1), examples.of_mean(by_column, horizon)
    if math.isinf(part.variance):
        return MeanEstimate(mean, math.inf, part.freedom, rows, math.inf, part.variance)
    of_columns, of_both = part.variance, both / ((rows - 1) * columns)
    variance = of_rows + of_columns + of_both
    parts = ((of_rows, rows - 1), (of_columns, part.freedom), (of_both, (rows - 1) * (columns - 1)))
    spread = sum(part**2 / freedom for part, freedom in parts if freedom > 0)
    return MeanEstimate(
        mean=mean,
        error=math.sqrt(variance),
        freedom=variance**2 / spread if spread > 0 else rows - 1,
        seeds=rows,
        seed_variance=(of_rows + of_both) * rows,
        rest=of_columns,
    )


def paired(a: ArrayLike, b: ArrayLike) -> MeanEstimate:
    """`a` minus `b`, seed by seed and example by example: both (n,), or both (n, examples).

    Raises ValueError if the shapes differ.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"not paired: shapes {first.shape} and {second.shape}")
    return over_seeds_and_examples(first - second)


def standardised(a: ArrayLike, b: ArrayLike) -> float | None:
    """Cohen's d_z: the mean paired difference divided by its standard deviation over seeds.

    None if it is undefined, for one seed or if all differences are equal (Lakens 2013, Frontiers in
    Psychology 4:863, equation 6).
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    values = difference if difference.ndim == 1 else difference.mean(axis=1)
    if len(values) < 2 or not (deviation := float(values.std(ddof=1))) > 0:
        return None
    return float(values.mean()) / deviation


class Corrected(NamedTuple):
    """One comparison of a family: Holm's p value, and the level of its interval."""

    p: float
    alpha: float


def holm(p_values: Sequence[float], alpha: float = 1 - CONFIDENCE) -> list[Corrected]:
    """Holm's correction (1979, Scandinavian Journal of Statistics 6:65-70).

    Each comparison's interval has the level at which Holm's procedure tests it. So the interval
    excludes 0 exactly if the corrected p value is below `alpha` (Serlin 1993, Journal of
    Experimental Education 61:350-360). After the first p value that is not rejected, the level
    stays the same.
    """
    # statsmodels has it, too, but runs the garbage collector at each call, which takes 40 ms.
    order = np.argsort(p_values, kind="stable")
    corrected: dict[int, Corrected] = {}
    level, highest = alpha, 0.0
    for rank, index in enumerate(order):
        left = len(p_values) - rank
        if highest < alpha:  # all before were rejected
            level = alpha / left
        highest = max(highest, min(1.0, left * float(p_values[index])))
        corrected[int(index)] = Corrected(highest, level)
    return [corrected[index] for index in range(len(p_values))]


@dataclass(frozen=True)
class Comparison:
    """One arm minus another.

    `estimate` is the paired difference, `p` its p value after Holm's correction, `alpha` the level
    of its interval, `effect` Cohen's d_z. A difference within `margin` is too small to matter. For
    errors, `higher_is_better` is False, and `better` is what has the lower one.
    """

    estimate: MeanEstimate
    p: float
    alpha: float
    effect: float | None
    margin: float
    higher_is_better: bool = field(default=True, kw_only=True)

    @property
    def difference(self) -> float:
        return self.estimate.mean

    @property
    def replicates(self) -> int:
        return self.estimate.seeds

    @property
    def interval(self) -> Interval:
        return self.estimate.interval(self.alpha)

    @property
    def gain(self) -> Interval:
        """The interval of how much better `a` is: that of the difference, turned for errors."""
        low, high = self.interval
        return self.interval if self.higher_is_better else Interval(-high, -low)

    @property
    def verdict(self) -> Verdict:
        return judge(self.interval, self.margin, higher_is_better=self.higher_is_better)

    @property
    def probability(self) -> float | None:
        """The probability that `a` is truly better than `b`; None where nothing is known.

        It is of this pair alone, not corrected for the family.
        """
        above = self.estimate.above_zero
        return above if above is None or self.higher_is_better else 1.0 - above

    @cached_property
    def detectable(self) -> float:
        """The smallest true difference that such a comparison finds with a power of 80 %."""
        return detectable(self.estimate, self.alpha)

    @cached_property
    def replicates_needed(self) -> int | None:
        """How many replicates would give a verdict, if mean and variances stay as they are.

        None if more than 1,000 would be needed; a larger test split might help then.
        """
        if self.verdict != "inconclusive":
            return self.replicates
        return replicates_needed(self.estimate, self.margin, self.alpha)

    def turned(self) -> Self:
        """The same comparison the other way round."""
        return replace(
            self,
            estimate=replace(self.estimate, mean=-self.estimate.mean),
            effect=None if self.effect is None else -self.effect,
        )


def compare(
    pairs: Sequence[tuple[ArrayLike, ArrayLike]],
    margin: float,
    *,
    alpha: float = 1 - CONFIDENCE,
    higher_is_better: bool = True,
) -> list[Comparison]:
    """Compare pairs of arms, as one family of comparisons."""
    estimates = [paired(a, b) for a, b in pairs]
    corrected = holm([estimate.p for estimate in estimates], alpha)
    return [
        Comparison(
            estimate,
            each.p,
            each.alpha,
            standardised(a, b),
            margin,
            higher_is_better=higher_is_better,
        )
        for (a, b), estimate, each in zip(pairs, estimates, corrected, strict=True)
    ]


def judge(interval: Interval, margin: float, *, higher_is_better: bool = True) -> Verdict:
    """The verdict from the interval of a difference.

    `equivalent` if all of it lies within the margin: the difference is too small to matter
    (Schuirmann's two one-sided tests, 1987, Journal of Pharmacokinetics and Biopharmaceutics
    15:657-680). Otherwise `better` or `worse` if it excludes 0, and `inconclusive` if not. Of
    errors the lower one is better.
    """
    if -margin <= interval.low and interval.high <= margin:
        return "equivalent"
    if interval.low > 0:
        return "better" if higher_is_better else "worse"
    if interval.high < 0:
        return "worse" if higher_is_better else "better"
    return "inconclusive"


def detectable(estimate: MeanEstimate, alpha: float = 1 - CONFIDENCE) -> float:
    """The smallest true difference that a test at level `alpha` finds with a power of 80 %.

    From the noncentral t distribution, as in statsmodels' TTestPower; infinite if the error is not
    known.
    """
    from scipy import optimize, stats

    if not estimate.known:
        return math.inf
    if estimate.error == 0.0:
        return 0.0
    critical = t_quantile(1 - alpha / 2, estimate.freedom)
    if math.isinf(critical):  # alpha is 0: nothing is ever found
        return math.inf

    def shortfall(noncentrality: float) -> float:
        upper = stats.nct.sf(critical, estimate.freedom, noncentrality)
        return float(upper) - POWER

    top = critical + 10.0
    while shortfall(top) < 0:
        top *= 2
    return float(optimize.brentq(shortfall, 0.0, top)) * estimate.error


def replicates_needed(
    estimate: MeanEstimate, margin: float, alpha: float = 1 - CONFIDENCE
) -> int | None:
    """How many replicates would make the interval exclude 0, or fit into the margin.

    Assumes that the mean and the variances seen are the true ones. None if more than 1,000 would be
    needed, or if the error from the test examples alone is too large.
    """
    needed = half_width_needed(estimate, margin)
    if needed is None or half_width(estimate, alpha, MAX_REPLICATES) > needed:
        return None
    low, high = estimate.seeds, MAX_REPLICATES
    while high - low > 1:
        middle = (low + high) // 2
        enough = half_width(estimate, alpha, middle) <= needed
        low, high = (low, middle) if enough else (middle, high)
    return high


def half_width_needed(estimate: MeanEstimate, margin: float) -> float | None:
    """The half width of the interval that would exclude 0, or fit into the margin."""
    distance = abs(estimate.mean)
    needed = max(distance, margin - distance)
    return needed if estimate.known and needed > 0 else None


def half_width(estimate: MeanEstimate, alpha: float, replicates: int, factor: float = 1.0) -> float:
    """Half the interval with so many replicates, on `factor` times the test examples."""
    of_seeds = estimate.seed_variance / replicates
    variance = of_seeds + estimate.rest / factor
    # There are many examples, so their part of Satterthwaite's sum is negligible.
    freedom = (replicates - 1) * (variance / of_seeds) ** 2 if of_seeds > 0 else math.inf
    return t_quantile(1 - alpha / 2, freedom) * math.sqrt(variance)


def t_quantile(probability: float, freedom: float) -> float:
    """Student's t, the normal distribution for endless degrees of freedom."""
    from scipy import stats

    if math.isinf(freedom):
        return float(stats.norm.ppf(probability))
    return float(stats.t.ppf(probability, freedom))


def stack(scores: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Scores of several seeds as one matrix (seeds, examples)."""
    return np.stack([np.asarray(each, np.float64) for each in scores])
