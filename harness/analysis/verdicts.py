"""What a study's replicates show: intervals, verdicts, the recommended arm. No Keras.

Everything is computed from records, so that report, `--json` and terminal agree.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from harness.analysis import statistics
from harness.analysis.blocks import (
    BlockComparison,
    Trainings,
    Variance,
    blocks_of,
    compare_pairs,
    variance_by_source,
)
from harness.analysis.statistics import Interval
from harness.results.records import BASELINES, Records

MARGIN = 0.005  # for manifests without one


@dataclass(frozen=True)
class ArmResult:
    """The replicates of an arm or a baseline: `n` with test scores, `failed` without.

    `mean` is the mean accuracy (0 to 1), `seeds` its t interval over searches, or over seeds where
    there is one search; `both` its interval over these and the test examples; `values` the accuracy
    by search and replicate. Without scores they are None or empty. `step_ms` (milliseconds) and
    `train_s` (seconds) are medians over replicates. `searches` counts the searches with scores, or
    is 0 where nothing was searched.
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

    @property
    def bar(self) -> Interval | None:
        """The interval to draw: `both`, or None for a single replicate."""
        return self.both if self.n > 1 else None


@dataclass(frozen=True)
class Pair:
    """`a` compared with `b`, over the searches (or seeds) that both have."""

    a: str
    b: str
    comparison: BlockComparison


@dataclass(frozen=True)
class Recommendation:
    """The recommended arm, and one sentence that says why."""

    arm: str
    reason: str
    loss: float = 0.0  # of its mean against the highest one, 0 to 1
    loss_interval: Interval | None = None  # None for a single search, or for the best arm


@dataclass(frozen=True)
class Conclusions:
    """All results, comparisons and the recommendation.

    `pairs` has every two arms once; `a` is the one declared later. `baseline_pairs` has every arm
    with every baseline, corrected as their own family. If the study compares levels of difficulty,
    only arms of the same level are compared, and `recommended` and `front` are from one level: the
    hardest that any arm solved, or the easiest.
    """

    arms: dict[str, ArmResult]
    baselines: dict[str, ArmResult]
    pairs: tuple[Pair, ...]
    baseline_pairs: tuple[Pair, ...]
    margin: float
    recommended: Recommendation | None
    front: tuple[str, ...]
    called: Mapping[str, str]  # display names of the baselines
    levels: Mapping[str, Any]  # difficulty by arm; None if the study does not compare it
    variance: Variance  # of the arms' scores, by source

    @property
    def references(self) -> dict[str, str]:
        """For each other arm with replicates, the arm to compare it with: the recommended one.

        At another level of difficulty it is the arm with the highest mean of that level.
        """
        measured = [arm for arm in self.arms.values() if arm.n]
        best: dict[Any, str] = {}
        for arm in sorted(measured, key=lambda arm: -(arm.mean or 0.0)):
            best.setdefault(self.levels[arm.name], arm.name)
        if self.recommended is not None:
            best[self.levels[self.recommended.arm]] = self.recommended.arm
        found = {arm.name: best[self.levels[arm.name]] for arm in measured}
        return {arm: reference for arm, reference in found.items() if arm != reference}

    def between(self, a: str, b: str) -> BlockComparison | None:
        """`a` minus `b`, in whichever order they were compared; None if they were not."""
        for pair in (*self.pairs, *self.baseline_pairs):
            if (pair.a, pair.b) == (a, b):
                return pair.comparison
            if (pair.b, pair.a) == (a, b):
                return pair.comparison.turned()
        return None


def conclude(records: Records) -> Conclusions:
    """All conclusions from the replicates on file; computed once for the same records."""
    found = _concluded.get(records)
    if found is None:
        found = _concluded[records] = _conclude(records)
    return found


# Kept while the records are in use.
_concluded: WeakKeyDictionary[Records, Conclusions] = WeakKeyDictionary()


def _conclude(records: Records) -> Conclusions:
    margin, searched = margin_of(records), bool(records.manifest.search)
    scores = {name: records.scores(name) for name in (*records.arms, *BASELINES)}
    arms = {name: _result(records, name, scores[name]) for name in records.arms}
    baselines = {
        name: result
        for name in BASELINES
        if (result := _result(records, name, scores[name])).n + result.failed > 0
    }
    levels = levels_of(records)
    alike = [(b, a) for a, b in itertools.combinations(records.arms, 2) if levels[a] == levels[b]]
    of_arms = {name: scores[name] for name in records.arms}
    pairs = _compare(alike, of_arms, margin, searched=searched)
    # Baselines were trained on the dataset as it is declared.
    declared = _difficulty(records)[1]
    tried = [arm for arm in records.arms if levels[arm] in (None, declared)]
    against = _compare(
        [(arm, base) for base in baselines for arm in tried], scores, margin, searched=searched
    )
    decisive, note = _decisive(records, arms, levels)
    measured = [result for result in decisive.values() if result.mean is not None]
    front = statistics.pareto_front(
        [np.nan if r.step_ms is None else r.step_ms for r in measured],
        [np.nan if r.mean is None else r.mean for r in measured],
    )
    found = Conclusions(
        arms=arms,
        baselines=baselines,
        pairs=pairs,
        baseline_pairs=against,
        margin=margin,
        recommended=None,
        front=tuple(measured[i].name for i in front),
        called=records.baselines,
        levels=levels,
        variance=variance_by_source(list(of_arms.values()), searched=searched),
    )
    chosen = _recommend(replace(found, arms=decisive))
    if chosen is not None:
        if pairs and all(pair.comparison.estimate.seeds < 2 for pair in pairs) and searched:
            note += " One search of each arm says nothing about the arms, only about what it found."
        chosen = replace(chosen, reason=chosen.reason + note)
    return replace(found, recommended=chosen)


def levels_of(records: Records) -> dict[str, Any]:
    """The difficulty of each arm's task; None for all if the study does not compare it."""
    field, _ = _difficulty(records)
    arms = records.manifest.arm_values
    return {arm: values.get(field) if field else None for arm, values in arms.items()}


def _difficulty(records: Records) -> tuple[str | None, Any]:
    """The dataset's field that makes its task harder, and the declared value of that field."""
    dataset = records.manifest.declared_dataset
    field = dataset.get("difficulty")
    return (field, dataset.get(field)) if field else (None, None)


def _decisive(
    records: Records, arms: dict[str, ArmResult], levels: dict[str, Any]
) -> tuple[dict[str, ArmResult], str]:
    """The arms of one level of difficulty, from which to choose, and a sentence that says which.

    An arm is not better because its task is easier. So the hardest solved level counts, or the
    easiest level if none was solved.
    """
    found = sorted({level for level in levels.values() if level is not None})
    if len(found) < 2:
        return arms, ""
    field, _ = _difficulty(records)
    threshold = float(records.manifest.declared_dataset.get("solved") or 1.0)
    solved = {levels[name] for name, arm in arms.items() if (arm.mean or 0.0) >= threshold}
    level = max(solved) if solved else found[0]
    of_level = {name: arm for name, arm in arms.items() if levels[name] == level}
    which = "the hardest that any arm solved" if solved else "the easiest, because none was solved"
    return of_level, f" Arms were compared at {arm_label(str(field))} {level}, {which}."


def across(studies: Mapping[str, tuple[Records, str]], margin: float) -> tuple[Pair, ...]:
    """Compare one arm of each study with one arm of each other study.

    `studies` maps a label to records and an arm's name. Only studies with equal `scored_on` may be
    compared. Searches are paired by number. This is valid even if the studies have different
    seeds, because the pairs are independent of one another.
    """
    scores = {label: records.scores(arm) for label, (records, arm) in studies.items()}
    searched = any(records.manifest.search for records, _ in studies.values())
    pairs = [(b, a) for a, b in itertools.combinations(studies, 2)]
    return _compare(pairs, scores, margin, searched=searched)


def margin_of(records: Records) -> float:
    """The difference of accuracies, 0 to 1, that the study declares too small to matter."""
    return records.manifest.margin or MARGIN


def scored_on(records: Records) -> tuple[tuple[str, str], ...] | None:
    """What identifies the scored examples: dataset, sizes, hash and split; None without a hash.

    Two studies with equal values were scored on the same examples and can be compared.
    """
    dataset = records.manifest.dataset
    if not dataset.get("sha256"):
        return None
    known = {**dataset, "split": records.scored_split}
    # Older run directories do not have these; the hash covers them.
    for name in ("classes", "features", "steps"):
        known.pop(name, None)
    return tuple(sorted((key, str(value)) for key, value in known.items()))


def _result(records: Records, name: str, scores: Trainings) -> ArmResult:
    ours = records.replicates[records.replicates["arm"] == name]
    complete = ours[ours["state"] == "complete"]
    values = {key: float(np.asarray(each, np.float64).mean()) for key, each in scores.items()}

    def median(column: str) -> float | None:
        found = complete[column].dropna()
        return None if found.empty else float(found.median())

    parameters = median("parameters")
    searched = bool(records.manifest.search) and name not in BASELINES
    # With one search the interval is about its configuration: seeds are all that varies.
    blocks = blocks_of(scores, searched=searched and len({search for search, _ in scores}) > 1)
    rows = [block.mean(axis=0) for block in blocks.values()]
    seeds = statistics.over_seeds([float(row.mean()) for row in rows]) if rows else None
    both = statistics.over_seeds_and_examples(np.stack(rows)) if rows else None
    return ArmResult(
        name=name,
        n=len(values),
        failed=int((ours["state"] == "failed").sum()),
        mean=float(np.mean(list(values.values()))) if values else None,
        seeds=None if seeds is None else statistics.possible(seeds.interval(), records.metric),
        both=None if both is None else statistics.possible(both.interval(), records.metric),
        values=values,
        step_ms=median("step_ms"),
        train_s=median("train_s"),
        parameters=None if parameters is None else int(parameters),
        searches=len({search for search, _ in scores}) if searched else 0,
    )


def _compare(
    names: list[tuple[str, str]],
    scores: Mapping[str, Trainings],
    margin: float,
    *,
    searched: bool,
) -> tuple[Pair, ...]:
    """Compare over the searches that both have; pairs that share none are left out."""
    found = compare_pairs(names, scores, margin, searched=searched)
    return tuple(Pair(each.a, each.b, each) for each in found)


def _recommend(found: Conclusions) -> Recommendation | None:
    """The cheapest arm (by step time) that is not worse than the most accurate one.

    Not worse means: its mean is within the margin of the best mean, and it was not shown to be
    worse.
    """
    measured = {name: arm for name, arm in found.arms.items() if arm.mean is not None}
    if not measured:
        return None
    best = max(measured.values(), key=lambda arm: arm.mean or 0.0)
    fit = [
        arm
        for arm in measured.values()
        if (best.mean or 0.0) - (arm.mean or 0.0) <= found.margin
        and ((against := found.between(arm.name, best.name)) is None or against.verdict != "worse")
    ]
    chosen = min(fit, key=_step)
    loss = (best.mean or 0.0) - (chosen.mean or 0.0)
    against = found.between(best.name, chosen.name)
    known = against is not None and math.isfinite(against.interval.high)
    return Recommendation(
        arm=chosen.name,
        reason=_reason(found, chosen, best),
        loss=loss,
        loss_interval=against.interval if against is not None and known else None,
    )


def _reason(found: Conclusions, chosen: ArmResult, best: ArmResult) -> str:
    name = arm_label(chosen.name)
    measured = [arm for arm in found.arms.values() if arm.mean is not None]
    if len(measured) == 1:
        return f"{name} is the only arm with replicates."
    if chosen is not best:
        against = found.between(chosen.name, best.name)
        equal = against is not None and against.verdict == "equivalent"
        faster = ""
        if chosen.step_ms and best.step_ms:
            faster = f"; its step is {best.step_ms / chosen.step_ms:.1f} times as fast"
        most = ""
        if against is not None and math.isfinite(against.interval.low):
            most = f", at most {100 * max(0.0, -against.interval.low):.1f}"
        return (
            f"{name} is the cheapest arm within {100 * found.margin:g} points of the highest "
            f"mean, that of {arm_label(best.name)}: {_gap(found, best, chosen)} points lower"
            f"{most}, "
            f"{'shown to be equivalent' if equal else 'not shown to be worse'}{faster}."
        )
    cheaper = [arm for arm in measured if _step(arm) < _step(chosen)]
    if not cheaper:
        return f"{name} has the highest mean, and the cheapest step."
    closest = max(cheaper, key=lambda arm: arm.mean or 0.0)
    against = found.between(closest.name, chosen.name)
    worse = against is not None and against.verdict == "worse"
    return (
        f"{name} has the highest mean; the best of the cheaper arms, {arm_label(closest.name)}, is "
        f"{_gap(found, chosen, closest)} points lower, "
        f"{'shown to be worse' if worse else f'more than the margin of {100 * found.margin:g}'}."
    )


def _gap(found: Conclusions, higher: ArmResult, lower: ArmResult) -> str:
    """In points; with a second decimal if one decimal would show the margin itself."""
    gap, margin = 100 * ((higher.mean or 0.0) - (lower.mean or 0.0)), 100 * found.margin
    return f"{gap:.2f}" if f"{gap:.1f}" == f"{margin:.1f}" else f"{gap:.1f}"


def _step(arm: ArmResult) -> float:
    return np.inf if arm.step_ms is None else arm.step_ms


def arm_label(arm: str) -> str:
    """`depth=2` in words: depth 2; for a baseline, its display name."""
    if arm in BASELINES:
        return BASELINES[arm]
    return arm.replace("=", " ").replace(",", ", ").replace("_", " ")


def signed(value: float) -> str:
    """A difference of accuracies in points with its sign: +0.1, −0.6."""
    text = f"{100 * value:+.1f}".replace("-", "−")
    return text.replace("−0.0", "0.0").replace("+0.0", "0.0")


def interval_text(interval: Interval) -> str:
    if np.isinf(interval.low) or np.isinf(interval.high):
        return "[no interval]"
    low, high = max(-1.0, interval.low), min(1.0, interval.high)
    return f"[{signed(low)}, {signed(high)}]"
