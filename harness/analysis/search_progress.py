"""Is the search done? The expected score of the best of n trials, and values at an edge.

A search keeps the trial with the lowest validation loss. How good is that trial expected to be
after n trials? The curve over n answers it (Dodge et al. 2019, "Show Your Work: Improved Reporting
of Experimental Results", EMNLP), here for n trials drawn without replacement, which has no bias
(Tang et al. 2020, "Showing Your Work Doesn't Always Work", ACL). Samplers such as TPE do not draw
trials independently, so the curve describes the trials on file. It is not exact for new ones.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.core.metrics import R2
from harness.results.records import Records

if TYPE_CHECKING:
    import pandas as pd

MORE = 10  # trials of each search
MIN_TRIALS = 5  # fewer say nothing about more trials or about edges
NEAR = 0.05  # of the range, on the distribution's own scale
MIN_CHOICES = 3  # of two choices, one is always the lowest or the highest
GRIDS = ("grid", "kt-grid")  # their trials are in a fixed set, some in a fixed order

End = Literal["lowest", "highest"]


@dataclass(frozen=True)
class Edge:
    """An end of a hyperparameter's space (`value`), at which the best configurations lie."""

    name: str
    value: float
    edge: End


@dataclass(frozen=True)
class SearchProgress:
    """What an arm's searches say about more trials.

    `trials` is the declared number of one search. `expected_best[n - 1]` is the expected validation
    score of the best of n trials (accuracy: 0 to 1); it is empty where scores are not known. `gain`
    is by how much ten more trials of each search are expected to make it better, 0 at least, or
    None where nothing can be said. `searches` is the number of searches that were pooled.
    """

    trials: int
    searches: int
    expected_best: tuple[float, ...]
    gain: float | None
    edges: tuple[Edge, ...]

    @property
    def at_budget(self) -> float | None:
        """The expected score of the best trial of one search."""
        known = 1 <= self.trials <= len(self.expected_best)
        return self.expected_best[self.trials - 1] if known else None


def progress(records: Records) -> dict[str, SearchProgress]:
    """By arm; without arms that have no trial with a score, and empty where nothing is searched."""
    if not records.manifest.search:
        return {}
    found = {}
    for arm in records.arms:
        ours = records.trials[records.trials["arm"] == arm]
        ended = ours[ours["state"].isin(["complete", "pruned", "failed"])]
        finite = np.isfinite(ended["value"].to_numpy(float))
        scored = ended[(ended["state"] != "failed") & finite]
        if not scored.empty:
            found[arm] = _of_arm(records, arm, scored, failed=len(ended) - len(scored))
    return found


def _of_arm(records: Records, arm: str, scored: "pd.DataFrame", failed: int) -> SearchProgress:
    manifest = records.manifest
    searches = sum(arm == name for name, _ in records.arm_searches)
    ordered = scored.sort_values(["value", "search", "trial"], kind="stable")
    accuracies = ordered["val_accuracy"].to_numpy(float)
    # R² has no lower end: one bad trial would decide the mean. Imported trials may have a loss only
    metric = records.validation_metric
    known = metric.name != R2 and bool(np.isfinite(accuracies).all())
    curve = expected_best(ordered["value"].to_numpy(float), accuracies, failed) if known else ()
    ten_more = _configurations(manifest.search) >= manifest.trials + MORE
    fixed = manifest.spec.get("sampler") in GRIDS
    complete = ordered[ordered["state"] == "complete"]
    best = complete.drop_duplicates("search").to_dict("records")
    few = len(ordered) + failed < MIN_TRIALS
    return SearchProgress(
        trials=manifest.trials,
        searches=searches,
        expected_best=tuple(map(float, curve)),
        gain=gain_from_more(metric.sign * np.asarray(curve), manifest.trials)
        if ten_more and not fixed
        else None,
        edges=()
        if few
        else edges(
            manifest.search,
            [{name: trial.get(f"params_{name}") for name in manifest.search} for trial in best],
            searches,
        ),
    )


def expected_best(losses: ArrayLike, scores: ArrayLike, failed: int = 0) -> NDArray[np.float64]:
    """The expected score of the trial with the lowest loss among n, for n = 1, 2, …, all trials.

    `losses` and `scores` have shape (trials,); the result has shape (trials + failed,). The n
    trials are drawn without replacement. The i-th lowest loss of N trials is the lowest of the draw
    with probability C(N - i, n - 1) / C(N, n). Failed trials may be drawn, but are never the best;
    the mean is over draws that have a trial with a score.
    """
    ordered = np.asarray(scores, np.float64)[np.argsort(losses, kind="stable")]
    total = len(ordered) + failed
    n = np.arange(1, total + 1)
    weight, found, reached = n / total, np.zeros(total), np.zeros(total)
    for below, score in enumerate(ordered):
        found += weight * score
        reached += weight
        left = total - below  # trials from this one on
        weight = weight * np.maximum(0, left - n) / max(1, left - 1)
    return found / reached


def gain_from_more(curve: Sequence[float] | NDArray[np.float64], trials: int) -> float | None:
    """How much higher the curve is at ten more than `trials`; 0 at least, None if unknown.

    Where the curve ends before, it is extended by a - b/√n, through its end and a third of its
    end. Among a few such forms, this one was nearly unbiased over four sets of recorded trainings,
    in draws of 10, 20 and 30 random configurations; a line over log n expected too much.
    """
    total = len(curve)
    if not 1 <= trials <= total or total < MIN_TRIALS:
        return None
    target = trials + MORE
    if target <= total:
        reached = curve[target - 1]
    else:
        start = round(total / 3)
        slope = (curve[-1] - curve[start - 1]) / (start**-0.5 - total**-0.5)
        reached = curve[-1] + slope * (total**-0.5 - target**-0.5)
    return max(0.0, float(reached - curve[trials - 1]))


def edges(
    space: Mapping[str, Any], best: Sequence[Mapping[str, Any]], searches: int
) -> tuple[Edge, ...]:
    """The ends of `space` at which the best trials of more than half of the searches lie.

    `space` has Optuna's distributions as JSON objects; `best` has the values of each search's best
    trial. A numeric range counts as its end within 5 % of it, on its own scale. Numeric choices and
    whole numbers count where there are at least three. A lowest value of 0, or of 1 for whole
    numbers, is a natural limit and no edge.
    """
    reached = Counter(
        _edge(name, distribution, values.get(name))
        for name, distribution in space.items()
        for values in best
    )
    return tuple(edge for edge, times in reached.items() if edge and times > searches / 2)


def _edge(name: str, distribution: Any, value: Any) -> Edge | None:
    """The end of the distribution at which a value lies, if any."""
    attributes = _attributes(distribution)
    choices = attributes.get("choices")
    ends = choices or [attributes.get("low"), attributes.get("high")]
    if not all(map(_is_number, [*ends, value])) or _values(distribution) < MIN_CHOICES:
        return None
    low, high = min(ends), max(ends)
    scale = math.log if attributes.get("log") else float
    near = 0.0 if choices else NEAR * (scale(high) - scale(low))  # nothing is between two choices
    natural = low == 0 or (low == 1 and all(isinstance(end, int) for end in ends))
    if scale(high) - scale(value) <= near:
        return Edge(name, high, "highest")
    if scale(value) - scale(low) <= near and not natural:
        return Edge(name, low, "lowest")
    return None


def _configurations(space: Mapping[str, Any]) -> float:
    """How many configurations there are; infinite where a range has no steps."""
    return math.prod(map(_values, space.values()))


def _values(distribution: Any) -> float:
    """How many values a distribution has."""
    attributes = _attributes(distribution)
    if choices := attributes.get("choices"):
        return len(choices)
    low, high = attributes.get("low", 0), attributes.get("high", 0)
    if low == high:
        return 1
    return round((high - low) / step) + 1 if (step := attributes.get("step")) else math.inf


def _attributes(distribution: Any) -> Mapping[str, Any]:
    """Those of Optuna's JSON; empty where it is damaged."""
    found = distribution.get("attributes") if isinstance(distribution, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _is_number(value: Any) -> bool:
    """Whether it is a finite number, of Python or NumPy."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and math.isfinite(value)
