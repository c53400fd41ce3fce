"""What was concluded from a study's replicates: results, comparisons, the recommended arm."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.analysis.blocks import BlockComparison, Variance
from harness.analysis.search_progress import SearchProgress
from harness.analysis.statistics import Interval
from harness.core.metrics import Metric
from harness.results.records import LEARNING, MAJORITY


@dataclass(frozen=True)
class ArmResult:
    """The replicates of an arm or a baseline: `n` with test scores, `failed` without.

    `mean` is the mean score (accuracies: 0 to 1), `seeds` its t interval over searches, or over
    seeds where there is one search; `both` its interval over these and the test examples; `values`
    the score by search and replicate. Without scores they are None or empty. `step_ms`
    (milliseconds) and `train_s` (seconds) are medians over replicates. `searches` counts the
    searches with scores, or is 0 where nothing was searched.
    """

    name: str
    n: int
    failed: int
    mean: float | None
    seeds: Interval | None
    both: Interval | None
    values: Mapping[tuple[int, int], float]
    step_ms: float | None
    train_s: float | None
    parameters: int | None
    searches: int
    adjusted: float | None = None

    @property
    def comparable(self) -> float | None:
        """The mean or, where arms have different searches, what it would be in all of them."""
        return self.mean if self.adjusted is None else self.adjusted

    @property
    def bar(self) -> Interval | None:
        """The interval to draw: `both`; None for a single replicate, or too few blocks of time."""
        known = self.n > 1 and self.both is not None and math.isfinite(self.both.high)
        return self.both if known else None


@dataclass(frozen=True)
class Pair:
    """`a` compared with `b`, over the searches (or seeds) that both have."""

    a: str
    b: str
    comparison: BlockComparison


@dataclass(frozen=True)
class Recommendation:
    """The recommended arm, and why, in a sentence or two that name it first."""

    arm: str
    reason: str
    loss: float = 0.0  # of its mean against the best one, in the scores' unit
    loss_interval: Interval | None = None  # None for a single search, or for the best arm


@dataclass(frozen=True)
class Conclusions:
    """All results, comparisons and the recommendation.

    `pairs` has every two arms once; `a` is the one declared later. `baseline_pairs` has every arm
    with every baseline, corrected as their own family. If the study compares levels of difficulty,
    only arms of the same level are compared, and `recommended` and `front` are from one level: the
    hardest that any arm solved, or the easiest. `margin` is in the scores' unit (accuracy: 0 to 1).
    """

    arms: dict[str, ArmResult]
    baselines: dict[str, ArmResult]
    pairs: tuple[Pair, ...]
    baseline_pairs: tuple[Pair, ...]
    metric: Metric
    validation_metric: Metric
    margin: float
    recommended: Recommendation | None
    front: tuple[str, ...]
    called: Mapping[str, str]  # display names of the baselines
    levels: Mapping[str, Any]  # difficulty by arm; None if the study does not compare it
    variance: Variance  # of the arms' scores, by source
    probability_best: Mapping[str, float]  # by arm of the decisive level; empty if unknown
    progress: Mapping[str, SearchProgress]  # by arm, where something is searched

    @property
    def references(self) -> dict[str, str]:
        """For each other arm with replicates, the arm to compare it with: the recommended one.

        At another level of difficulty it is the arm with the best mean of that level.
        """
        measured = [arm for arm in self.arms.values() if arm.n]
        best: dict[Any, str] = {}
        for arm in sorted(measured, key=lambda arm: -self.level(arm)):
            best.setdefault(self.levels[arm.name], arm.name)
        if self.recommended is not None:
            best[self.levels[self.recommended.arm]] = self.recommended.arm
        found = {arm.name: best[self.levels[arm.name]] for arm in measured}
        return {arm: reference for arm, reference in found.items() if arm != reference}

    @property
    def untrained(self) -> tuple[str, ...]:
        """The baselines that should have learned, and are no better than the majority class."""
        least = self.baselines.get(MAJORITY)
        if least is None or least.mean is None:
            return ()
        found = [self.baselines[name] for name in LEARNING if name in self.baselines]
        return tuple(
            each.name
            for each in found
            if each.mean is not None and self.level(each) <= self.level(least)
        )

    def level(self, arm: ArmResult) -> float:
        """The arm's mean as a number that is higher where it is better."""
        return self.metric.sign * (arm.comparable or 0.0)

    def loss(self, chosen: str, best: str) -> BlockComparison | None:
        """How much is lost with `chosen` instead of `best`, above 0 where it is the worse one."""
        pair = (best, chosen) if self.metric.higher_is_better else (chosen, best)
        return self.between(*pair)

    def between(self, a: str, b: str) -> BlockComparison | None:
        """`a` minus `b`, in whichever order they were compared; None if they were not."""
        for pair in (*self.pairs, *self.baseline_pairs):
            if (pair.a, pair.b) == (a, b):
                return pair.comparison
            if (pair.b, pair.a) == (a, b):
                return pair.comparison.turned()
        return None
