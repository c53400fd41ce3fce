"""Arms by searches: differences between arms over all that would change if a study ran again.

Three things decide an arm's test score besides the arm: the luck of the search that chose its
configuration, the seeds of the trainings, and the examples in the test split. All three must vary
(Bouthillier et al. 2021, "Accounting for variance in machine learning benchmarks", MLSys). So each
arm has several searches, independent of one another, and each search's best configuration is
trained on a few fresh seeds.

Search number s of every arm tries the same configurations as far as it can, so its luck is common
to the arms. That makes a randomised block design: the searches are the blocks, and the error of a
comparison is what remains of the arms × searches table once the means of both are taken out. This
residual is pooled over the arms, with more weight for the two compared where they vary more than
the rest, and without arms that are far noisier (harness.analysis.two_way). The examples add a part
of their own (harness.analysis.examples). Where nothing is searched, the seeds are the blocks.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.analysis.examples import PLAIN, Part, Scoring, of_difference, of_mean
from harness.analysis.statistics import (
    CONFIDENCE,
    Comparison,
    MeanEstimate,
    holm,
    standardised,
)
from harness.analysis.two_way import (
    Pool,
    Pools,
    TwoWay,
    error_of_pair,
    two_way,
    with_examples,
)

NOISIER = 0.99  # a pair no noisier than the others looks as noisy as that in one case of a hundred

# An arm's trainings: by search and replicate (both from 1), scores of shape (examples,).
Trainings = Mapping[tuple[int, int], ArrayLike]
# The same by block, each of shape (trainings, examples).
Blocks = Mapping[int, NDArray[np.float64]]


@dataclass(frozen=True)
class BlockComparison(Comparison):
    """`a` minus `b`, each tuned with the same budget, trained and tested.

    `difference` and `interval` are in the unit of the scores (accuracy: 0 to 1). `p` is two-sided
    and corrected for the family. `guarded` is True if the pair's own variance is much larger than
    that of the other arms. `look` is the number of searches (or seeds) after which a study that
    looks again and again has this verdict. `few_times` is True if forecasts were made for too few
    blocks of time, so that there is no interval.
    """

    a: str
    b: str
    searched: bool
    guarded: bool
    look: int | None = None
    few_times: bool = False

    @property
    def reason(self) -> str:
        """What the verdict rests on, in a few words."""
        if self.estimate.seeds < 2:
            return "one search" if self.searched else "one seed"
        if self.few_times:
            return "the test split has too few independent blocks of time"
        above, below = "the whole interval is above 0", "the whole interval is below 0"
        reason = {
            "better": above if self.higher_is_better else below,
            "worse": below if self.higher_is_better else above,
            "equivalent": "the whole interval is within the margin",
            "inconclusive": "the interval contains 0 and is wider than the margin",
        }[self.verdict]
        if self.guarded:
            reason += "; one of the two is much noisier than the other arms"
        if self.look is not None and self.verdict != "inconclusive":
            reason += f"; decided after {self.look} {'searches' if self.searched else 'seeds'}"
        return reason

    def turned(self) -> Self:
        return replace(super().turned(), a=self.b, b=self.a)


def compare(
    scores: Mapping[str, ArrayLike],
    margin: float,
    *,
    searched: bool = True,
    alpha: float = 1 - CONFIDENCE,
    higher_is_better: bool = True,
    horizon: int | None = None,
) -> list[BlockComparison]:
    """Compare every two arms, the later one as `a`, as one family of comparisons.

    `scores` has an array (searches, replicates, examples) for each arm; its mean is the metric.
    Arms may have different numbers of searches and replicates: search s of one arm is a block
    with search s of the others. All arms have the same examples. With `searched` False nothing
    was searched, and replicate r of one arm is a block with replicate r of the others. `margin`
    is the difference that is too small to matter; `alpha` the share of families in which arms
    that are alike may be told apart. For errors set `higher_is_better` to False. For forecasts
    examples are times in their order, and `horizon` is the number of steps forecast.

    With a single block nothing can be said about arms: every verdict is `inconclusive`. Raises
    ValueError for arrays of other shapes, or of different numbers of examples.
    """
    trainings = {}
    for arm, values in scores.items():
        array = np.asarray(values, np.float64)
        if array.ndim != 3 or 0 in array.shape:
            raise ValueError(
                f"{arm}: scores have shape {array.shape}, not (searches, replicates, examples)"
            )
        trainings[arm] = trainings_of(array)
    names = list(trainings)
    pairs = [(b, a) for i, a in enumerate(names) for b in names[i + 1 :]]
    scoring = Scoring(higher_is_better, horizon)
    return compare_pairs(pairs, trainings, margin, searched=searched, scoring=scoring, alpha=alpha)


def compare_pairs(
    pairs: Sequence[tuple[str, str]],
    trainings: Mapping[str, Trainings],
    margin: float,
    *,
    searched: bool,
    scoring: Scoring = PLAIN,
    alpha: float = 1 - CONFIDENCE,
) -> list[BlockComparison]:
    """Compare the pairs (a, b) as one family; pairs without a common block are left out.

    The variance is pooled over all arms in `trainings`. Raises ValueError where arms have
    different numbers of examples.
    """
    arms = {arm: blocks_of(of_arm, searched=searched) for arm, of_arm in trainings.items()}
    if len({block.shape[1] for blocks in arms.values() for block in blocks.values()}) > 1:
        raise ValueError("arms are scored on different numbers of examples")
    means = {arm: block_means(blocks) for arm, blocks in arms.items()}
    pools = Pools(means)
    found = [
        _compare(a, b, arms, means, pools.of(a, b), scoring.horizon)
        for a, b in pairs
        if means[a].keys() & means[b].keys()
    ]
    # A single block has no error, so it is no test and needs no share of alpha.
    tested = [each for each in found if each.estimate.known]
    levels = iter(holm([each.estimate.p for each in tested], alpha))
    return [
        BlockComparison(
            estimate=each.estimate,
            p=level.p if (level := next(levels) if each.estimate.known else None) else 1.0,
            alpha=level.alpha if level else alpha,
            effect=each.effect,
            margin=margin,
            a=each.a,
            b=each.b,
            searched=searched,
            guarded=each.guarded,
            few_times=each.few_times,
            higher_is_better=scoring.higher_is_better,
        )
        for each in found
    ]


def trainings_of(scores: NDArray[Any]) -> Trainings:
    """An array (searches, replicates, examples) by search and replicate."""
    searches, replicates, _ = scores.shape
    return {(s + 1, r + 1): scores[s, r] for s in range(searches) for r in range(replicates)}


def blocks_of(trainings: Trainings, *, searched: bool) -> Blocks:
    """Trainings by block: by search or, where nothing was searched, one by one."""
    blocks: dict[int, list[NDArray[np.float64]]] = {}
    for number, ((search, _), scores) in enumerate(sorted(trainings.items()), start=1):
        block = search if searched else number
        blocks.setdefault(block, []).append(np.asarray(scores, np.float64))
    return {block: np.stack(rows) for block, rows in blocks.items()}


def block_means(blocks: Blocks) -> dict[int, float]:
    """The mean score of each block: a cell of the table of arms × blocks."""
    return {number: float(block.mean()) for number, block in blocks.items()}


@dataclass(frozen=True)
class Variance:
    """The variance of an arm's score by its source, each of a single draw; None where unknown.

    `search`: between searches, beyond what their few seeds explain. `seed`: between trainings of
    one configuration. `examples`: of the mean over a test split of this size. In the square of the
    scores' unit.
    """

    search: float | None
    seed: float | None
    examples: float | None


def variance_by_source(
    trainings: Sequence[Trainings], *, searched: bool, horizon: int | None = None
) -> Variance:
    """The sources of variance, pooled over the arms; `horizon` is that of forecasts."""
    arms = [
        blocks for of_arm in trainings if (blocks := blocks_of(of_arm, searched=True))
    ]  # here seeds are seeds, whether or not anything was searched
    within = [(block.mean(axis=1).var(ddof=1), len(block) - 1) for blocks in arms
              for block in blocks.values() if len(block) > 1]  # fmt: skip
    seed = _pooled(within)
    between = _pooled(
        [
            (np.var([block.mean() for block in blocks.values()], ddof=1), len(blocks) - 1)
            for blocks in arms
            if len(blocks) > 1
        ]
    )
    search = None
    if searched and between is not None:
        sizes = [len(block) for blocks in arms for block in blocks.values()]
        search = max(0.0, between - (seed or 0.0) * float(np.mean([1 / size for size in sizes])))
    of_examples = [
        of_mean(np.concatenate(list(blocks.values())).mean(axis=0), horizon).variance
        for blocks in arms
    ]
    known = bool(of_examples) and bool(np.isfinite(of_examples).all())
    return Variance(search, seed, float(np.mean(of_examples)) if known else None)


def _pooled(parts: Sequence[tuple[float, int]]) -> float | None:
    """Variances weighted by their degrees of freedom."""
    freedom = sum(weight for _, weight in parts)
    return sum(float(v) * weight for v, weight in parts) / freedom if freedom else None


@dataclass(frozen=True)
class _Compared:
    """A pair before the correction for the family."""

    a: str
    b: str
    estimate: MeanEstimate
    effect: float | None
    guarded: bool
    few_times: bool = False


def _compare(
    a: str,
    b: str,
    arms: Mapping[str, Blocks],
    means: Mapping[str, Mapping[int, float]],
    pool: Pool,
    horizon: int | None,
) -> _Compared:
    """The estimate of one pair over the blocks that both have."""
    shared = sorted(means[a].keys() & means[b].keys())
    n = len(shared)
    first, second = (np.array([means[arm][number] for number in shared]) for arm in (a, b))
    differences = first - second
    if n < 2:
        return _Compared(a, b, alone(differences), None, guarded=False)
    own = float(differences.var(ddof=1)) / 2
    guarded = _noisier(own, n - 1, [means[arm] for arm in sorted(pool.arms - {a, b})])
    by_example = [
        np.mean([arms[arm][number].mean(axis=0) for number in shared], axis=0) for arm in (a, b)
    ]
    part = of_difference(by_example[0], by_example[1], horizon)
    estimate = of_contrast(differences, 2, pool.table, part)
    effect = standardised(first, second)
    return _Compared(a, b, estimate, effect, guarded, few_times=part.too_few)


def alone(values: NDArray[np.float64]) -> MeanEstimate:
    """The mean of a contrast in too few blocks to know its error."""
    return MeanEstimate(float(values.mean()), math.inf, 0.0, len(values), math.inf, 0.0)


def of_contrast(
    values: NDArray[np.float64], squares: float, table: TwoWay, examples: Part
) -> MeanEstimate:
    """The mean of a contrast of arms and its error; `values` has the contrast in each block.

    `squares` is the sum of its squared weights: 2 for the difference of two arms. The variance in
    these blocks, for one arm, is joined with the residual of the `table` (`error_of_pair`), and
    `examples` add a part of their own.
    """
    n = len(values)
    mean_square, freedom = (
        float(each)
        for each in error_of_pair(
            float(values.var(ddof=1)) / squares, n - 1, table.mean_square, table.freedom
        )
    )
    of_blocks = squares * mean_square / n
    of_examples = math.inf if examples.too_few else examples.variance
    return MeanEstimate(
        mean=float(values.mean()),
        error=math.sqrt(of_blocks + of_examples),
        freedom=float(with_examples(of_blocks, freedom, of_examples, examples.freedom)),
        seeds=n,
        seed_variance=of_blocks * n,
        rest=of_examples,
    )


def _noisier(own: float, freedom: int, others: Sequence[Mapping[int, float]]) -> bool:
    """Whether a pair with the mean square `own` is much noisier than the other arms."""
    from scipy import stats

    table = two_way(others)
    return table.freedom > 0 and own > table.mean_square * float(
        stats.f.ppf(NOISIER, freedom, table.freedom)
    )
