"""How much of a difference is real: intervals, paired differences, verdicts. No Keras.

Accuracies vary for two reasons: the seed of the training, and which examples the test split
happens to hold. `scores` here is a matrix, one row a seed, one column a test example, whose mean
is the accuracy; a plain vector of one value a seed leaves the examples out.

Means get two intervals: Student's t over seeds, and one over seeds and examples together by the
bootstrap that draws rows and columns independently (Owen 2007, "The pigeonhole bootstrap", Annals
of Applied Statistics 1:386-411). Differences between arms are paired, seed by seed and example by
example, and use the latter.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.metrics import R2

CONFIDENCE = 0.95
POWER = 0.8  # with which "could have shown" and "would settle" are meant
MAX_REPLICATES = 1000  # beyond, more replicates are no advice

Verdict = Literal["better", "worse", "equivalent", "inconclusive"]


class Interval(NamedTuple):
    low: float
    high: float


EVERYTHING = Interval(-math.inf, math.inf)


def possible(interval: Interval, metric: str) -> Interval:
    """The part of an interval of a mean that is possible: no accuracy lies below 0 or above 1.

    R² has no lower end. What says nothing stays as it is.
    """
    if math.isinf(interval.low):
        return interval
    least = -math.inf if metric == R2 else 0.0
    return Interval(max(least, interval.low), min(1.0, interval.high))


@dataclass(frozen=True)
class MeanEstimate:
    """A mean, its standard error, and the degrees of freedom of Student's t that go with them.

    `seeds` is the number of rows it rests on; `seed_variance` the part of the variance that more
    seeds would shrink, as of one seed; `rest` the part that they would not.
    """

    mean: float
    error: float
    freedom: float
    seeds: int
    seed_variance: float
    rest: float

    def interval(self, alpha: float = 1 - CONFIDENCE) -> Interval:
        """Mean ± t · standard error; everything where there is one seed only."""
        if self.seeds < 2:
            return EVERYTHING
        half = t_quantile(1 - alpha / 2, self.freedom) * self.error
        return Interval(self.mean - half, self.mean + half)

    @property
    def p(self) -> float:
        """Two-sided p value of the mean being 0."""
        from scipy import stats

        if self.seeds < 2:
            return 1.0
        if self.error == 0.0:
            return 1.0 if self.mean == 0.0 else 0.0
        return float(2 * stats.t.sf(abs(self.mean) / self.error, self.freedom))


def over_seeds(values: ArrayLike) -> MeanEstimate:
    """The mean over seeds with Student's t: values (n,), one a seed."""
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


def over_seeds_and_examples(scores: ArrayLike) -> MeanEstimate:
    """The mean of a matrix (seeds, examples), with the error of drawing either anew.

    The variance is the pigeonhole bootstrap's own, computed exactly (its limit for endlessly many
    draws) rather than by drawing: with rows and columns drawn independently it is a sum of a part
    of the rows' means, one of the columns' means and one of what both leave. Of R seeds R - 1 are
    drawn (Rao and Wu 1988, JASA 83:231-241), without which few seeds look surer than they are.
    Degrees of freedom by Satterthwaite (1946, Biometrics Bulletin 2:110-114). Errs on the wide
    side: what rows and columns both leave enters three times.
    """
    matrix = np.asarray(scores, np.float64)
    if matrix.ndim == 1:
        return over_seeds(matrix)
    rows, columns = matrix.shape
    mean = float(matrix.mean())
    if rows < 2:
        return MeanEstimate(mean, math.inf, 0.0, rows, math.inf, 0.0)
    by_row = float(matrix.mean(axis=1).var())
    by_column = float(matrix.mean(axis=0).var())
    both = max(0.0, float(matrix.var()) - by_row - by_column)
    of_rows, of_columns = by_row / (rows - 1), by_column / columns
    of_both = both / ((rows - 1) * columns)
    variance = of_rows + of_columns + of_both
    parts = ((of_rows, rows - 1), (of_columns, columns - 1), (of_both, (rows - 1) * (columns - 1)))
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
    """`a` less `b`, seed by seed (and example by example): both (n,), or both (n, examples)."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"not paired: shapes {first.shape} and {second.shape}")
    return over_seeds_and_examples(first - second)


def standardised(a: ArrayLike, b: ArrayLike) -> float | None:
    """Cohen's d_z: the mean paired difference in standard deviations of it over seeds.

    None where it has no meaning: one seed, or differences all alike (Lakens 2013, Frontiers in
    Psychology 4:863, equation 6).
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    values = difference if difference.ndim == 1 else difference.mean(axis=1)
    if len(values) < 2 or not (deviation := float(values.std(ddof=1))) > 0:
        return None
    return float(values.mean()) / deviation


class Corrected(NamedTuple):
    """One comparison of a family: Holm's p value, and the level at which its interval stands."""

    p: float
    alpha: float


def holm(p_values: Sequence[float], alpha: float = 1 - CONFIDENCE) -> list[Corrected]:
    """Holm's correction (1979, Scandinavian Journal of Statistics 6:65-70).

    Each comparison's interval is of the level at which Holm's procedure tests it, so that the
    interval leaves 0 out just when the corrected p value is below `alpha` (Serlin 1993, Journal of
    Experimental Education 61:350-360). After the first p value not rejected, its level holds.
    """
    # statsmodels has it, too, but collects garbage at each call, which takes 40 ms.
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
    """One arm less another: the paired estimate, its Holm-corrected `p`, the level `alpha` of its
    interval, Cohen's d_z as `effect`, and the `margin` that is held too small to matter.
    """

    estimate: MeanEstimate
    p: float
    alpha: float
    effect: float | None
    margin: float

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
    def verdict(self) -> Verdict:
        return judge(self.interval, self.margin)

    @cached_property
    def detectable(self) -> float:
        """The smallest difference that these replicates could have shown."""
        return detectable(self.estimate, self.alpha)

    @cached_property
    def replicates_needed(self) -> int | None:
        """How many replicates would settle it, if what was seen holds; None where no number of
        them up to 1,000 would (more test examples might).
        """
        if self.verdict != "inconclusive":
            return self.replicates
        return replicates_needed(self.estimate, self.margin, self.alpha)

    def turned(self) -> "Comparison":
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
) -> list[Comparison]:
    """Compare pairs of arms, as one family of comparisons."""
    estimates = [paired(a, b) for a, b in pairs]
    corrected = holm([estimate.p for estimate in estimates], alpha)
    return [
        Comparison(estimate, each.p, each.alpha, standardised(a, b), margin)
        for (a, b), estimate, each in zip(pairs, estimates, corrected, strict=True)
    ]


def judge(interval: Interval, margin: float) -> Verdict:
    """The verdict that an interval of a difference gives.

    `equivalent` where all of it lies within the margin, a difference too small to matter whatever
    its sign (Schuirmann's two one-sided tests, 1987, Journal of Pharmacokinetics and
    Biopharmaceutics 15:657-680); else `better` or `worse` where 0 lies outside it.
    """
    if -margin <= interval.low and interval.high <= margin:
        return "equivalent"
    if interval.low > 0:
        return "better"
    if interval.high < 0:
        return "worse"
    return "inconclusive"


def detectable(estimate: MeanEstimate, alpha: float = 1 - CONFIDENCE) -> float:
    """The smallest true difference that a test at `alpha` shows in four cases of five.

    By the noncentral t distribution, as statsmodels' TTestPower; infinite for one seed.
    """
    from scipy import optimize, stats

    if estimate.seeds < 2:
        return math.inf
    if estimate.error == 0.0:
        return 0.0
    critical = t_quantile(1 - alpha / 2, estimate.freedom)

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
    """How many replicates would make the interval leave 0 out, or fit into the margin.

    Taking the mean and the variances seen for the true ones. None where the test examples' part
    of the error alone is too much, or more than 1,000 would be needed.
    """
    distance = abs(estimate.mean)
    needed = max(distance, margin - distance)
    if estimate.seeds < 2 or needed <= 0:
        return None

    def half_width(n: int) -> float:
        of_seeds = estimate.seed_variance / n
        variance = of_seeds + estimate.rest
        # Examples are many: their part adds next to nothing to Satterthwaite's sum.
        freedom = (n - 1) * (variance / of_seeds) ** 2 if of_seeds > 0 else math.inf
        return t_quantile(1 - alpha / 2, freedom) * math.sqrt(variance)

    if half_width(MAX_REPLICATES) > needed:
        return None
    low, high = estimate.seeds, MAX_REPLICATES
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half_width(middle) <= needed else (middle, high)
    return high


def pareto_front(costs: ArrayLike, values: ArrayLike) -> list[int]:
    """Positions of what nothing else beats at the same cost or less, cheapest first.

    Cost is to be low, value high; of equals the first. Positions with a NaN are left out.
    """
    cost, value = np.asarray(costs, np.float64), np.asarray(values, np.float64)
    usable = [int(i) for i in np.flatnonzero(np.isfinite(cost) & np.isfinite(value))]
    front: list[int] = []
    for index in sorted(usable, key=lambda i: (cost[i], -value[i], i)):
        if not front or value[index] > value[front[-1]]:
            front.append(index)
    return front


def t_quantile(probability: float, freedom: float) -> float:
    """Student's t, the normal distribution for endless degrees of freedom."""
    from scipy import stats

    if math.isinf(freedom):
        return float(stats.norm.ppf(probability))
    return float(stats.t.ppf(probability, freedom))


def stack(scores: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Scores of several seeds as one matrix (seeds, examples)."""
    return np.stack([np.asarray(each, np.float64) for each in scores])
