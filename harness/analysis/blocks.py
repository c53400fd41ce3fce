"""Arms by searches: differences between arms over all that would change if a study ran again.

Three things decide an arm's test score besides the arm: the luck of the search that chose its
configuration, the seeds of the trainings, and the examples in the test split. All three must vary
(Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks", MLSys). So each
arm has several searches, independent of one another, and each search's best configuration is
trained on a few fresh seeds.

Search number s of every arm tries the same configurations as far as it can, so its luck is common
to the arms. That makes a randomised block design: the searches are the blocks, and the error of a
comparison is what remains of the arms × searches table once the means of both are taken out. This
residual is pooled over all arms. The examples add a part of their own. Where nothing is searched,
the seeds are the blocks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.statistics import (
    CONFIDENCE,
    EVERYTHING,
    Interval,
    Verdict,
    holm,
    judge,
    t_quantile,
)

GUARD = 0.90  # an arm as noisy as fewer than one in ten fair ones keeps its own variance


@dataclass(frozen=True)
class BlockComparison:
    """`a` less `b`: both tuned with the same budget, trained and tested.

    `difference` and `interval` are in the unit of the scores (accuracy: 0 to 1); the interval has
    the level at which Holm's procedure tests this pair. `p` is two-sided and corrected for the
    family. `error` is the standard error, `freedom` the degrees of freedom of Student's t, and
    `reason` says in one sentence what the verdict rests on. `guarded` is True where the pair's own
    variance was used, because it is much larger than the pooled one.
    """

    a: str
    b: str
    difference: float
    interval: Interval
    verdict: Verdict
    p: float
    reason: str
    error: float
    freedom: float
    guarded: bool


@dataclass(frozen=True)
class _Pair:
    """A pair before the correction for the family."""

    a: str
    b: str
    difference: float
    error: float
    freedom: float
    guarded: bool

    @property
    def p(self) -> float:
        from scipy import stats

        if self.error == 0.0:
            return 1.0 if self.difference == 0.0 else 0.0
        return float(2 * stats.t.sf(abs(self.difference) / self.error, self.freedom))

    def interval(self, alpha: float) -> Interval:
        half = t_quantile(1 - alpha / 2, self.freedom) * self.error if self.error else 0.0
        return Interval(self.difference - half, self.difference + half)


def compare(
    scores: Mapping[str, ArrayLike],
    margin: float,
    *,
    searched: bool = True,
    alpha: float = 1 - CONFIDENCE,
) -> list[BlockComparison]:
    """Compare every two arms, the later one as `a`, as one family of comparisons.

    `scores` holds an array (searches, replicates, examples) for each arm; its mean is the metric.
    Arms may have different numbers of searches and replicates: search s of one arm is a block
    with search s of the others. All arms have the same examples. With `searched` False nothing
    was searched, and replicate r of one arm is a block with replicate r of the others. `margin`
    is the difference that is too small to matter; `alpha` the rate of families in which arms that
    are alike are told apart.

    With a single block nothing can be said about arms: every verdict is `inconclusive`. Raises
    ValueError for arrays of other shapes, or of different numbers of examples.
    """
    arrays = {arm: _blocks(arm, values, searched) for arm, values in scores.items()}
    if len({array.shape[2] for array in arrays.values()}) > 1:
        raise ValueError("arms are scored on different numbers of examples")
    names = list(arrays)
    pairs = [(b, a) for i, a in enumerate(names) for b in names[i + 1 :]]
    means = {arm: array.mean(axis=(1, 2)) for arm, array in arrays.items()}
    comparable = [pair for pair in pairs if _shared(means, pair) > 1]
    pooled = _residual(list(means.values()))
    found = [_compare(pair, arrays, means, pooled) for pair in comparable]
    levels = holm([pair.p for pair in found], alpha)
    concluded = {
        (pair.a, pair.b): _conclude(pair, each.p, each.alpha, margin)
        for pair, each in zip(found, levels, strict=True)
    }
    return [concluded.get(pair) or _undecided(pair, arrays, searched) for pair in pairs]


def _blocks(arm: str, values: ArrayLike, searched: bool) -> NDArray[np.float64]:
    """Scores as (blocks, trainings, examples)."""
    array = np.asarray(values, np.float64)
    if array.ndim != 3 or 0 in array.shape:
        raise ValueError(
            f"{arm}: scores have shape {array.shape}, not (searches, replicates, examples)"
        )
    return array if searched else array.reshape(-1, 1, array.shape[2])


def _shared(means: Mapping[str, NDArray[np.float64]], pair: tuple[str, str]) -> int:
    return min(len(means[arm]) for arm in pair)


@dataclass(frozen=True)
class _Residual:
    """The mean square of what arms and blocks leave unexplained, and its degrees of freedom."""

    mean_square: float
    freedom: int


def _residual(arms: Sequence[NDArray[np.float64]]) -> _Residual:
    """Arms × blocks by least squares, as arms may lack the last blocks.

    With every cell there the degrees of freedom are (arms - 1)(blocks - 1).
    """
    blocks = max((len(values) for values in arms), default=0)
    rows = [(arm, block) for arm, values in enumerate(arms) for block in range(len(values))]
    design = np.zeros((len(rows), len(arms) + blocks))
    for row, (arm, block) in enumerate(rows):
        design[row, arm] = design[row, len(arms) + block] = 1.0
    cells = np.concatenate([*arms]) if arms else np.empty(0)
    fitted, _, rank, _ = np.linalg.lstsq(design, cells, rcond=None)
    freedom = len(rows) - int(rank)
    if freedom < 1:
        return _Residual(math.inf, 0)
    left = cells - design @ fitted
    # What rounding leaves of equal cells is nothing.
    total = float((left**2).sum())
    return _Residual(total / freedom if total > 1e-24 * len(cells) else 0.0, freedom)


def _compare(
    pair: tuple[str, str],
    arrays: Mapping[str, NDArray[np.float64]],
    means: Mapping[str, NDArray[np.float64]],
    pooled: _Residual,
) -> _Pair:
    """The estimate of one pair over the blocks that both have."""
    from scipy import stats

    a, b = pair
    n = _shared(means, pair)
    differences = means[a][:n] - means[b][:n]
    of_blocks, freedom = 2 * pooled.mean_square / n, float(pooled.freedom)
    own = float(differences.var(ddof=1)) / n
    # One arm far noisier than the rest makes the pooled variance unfair to its pairs.
    guarded = own > of_blocks * float(stats.f.ppf(GUARD, n - 1, pooled.freedom))
    if guarded:
        of_blocks, freedom = own, float(n - 1)
    by_example = arrays[a][:n].mean(axis=(0, 1)) - arrays[b][:n].mean(axis=(0, 1))
    examples = len(by_example)
    of_examples = float(by_example.var()) / examples
    variance = of_blocks + of_examples
    # Satterthwaite (1946), Biometrics Bulletin 2:110-114.
    spread = of_blocks**2 / freedom + of_examples**2 / max(1, examples - 1)
    return _Pair(
        a=a,
        b=b,
        difference=float(differences.mean()),
        error=math.sqrt(variance),
        freedom=variance**2 / spread if spread > 0 else freedom,
        guarded=guarded,
    )


def _conclude(pair: _Pair, p: float, alpha: float, margin: float) -> BlockComparison:
    interval = pair.interval(alpha)
    verdict = judge(interval, margin)
    reason = {
        "better": "the whole interval lies above 0",
        "worse": "the whole interval lies below 0",
        "equivalent": "the whole interval lies within the margin",
        "inconclusive": "the interval holds 0, and more than the margin",
    }[verdict]
    if pair.guarded:
        reason += "; one of the two is much noisier than the other arms, so its own variance counts"
    return BlockComparison(
        a=pair.a,
        b=pair.b,
        difference=pair.difference,
        interval=interval,
        verdict=verdict,
        p=p,
        reason=reason,
        error=pair.error,
        freedom=pair.freedom,
        guarded=pair.guarded,
    )


def _undecided(
    pair: tuple[str, str], arrays: Mapping[str, NDArray[np.float64]], searched: bool
) -> BlockComparison:
    """What a single block says of two arms: a difference, of unknown error."""
    a, b = pair
    return BlockComparison(
        a=a,
        b=b,
        difference=float(arrays[a][:1].mean() - arrays[b][:1].mean()),
        interval=EVERYTHING,
        verdict="inconclusive",
        p=1.0,
        reason="one search" if searched else "one seed",
        error=math.inf,
        freedom=0.0,
        guarded=False,
    )
