"""What a study's replicates show: intervals, verdicts, the recommended arm. No Keras.

Everything is computed from records, so that report, `--json` and terminal agree.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from harness.analysis import probability, statistics
from harness.analysis.blocks import (
    BlockComparison,
    Trainings,
    block_means,
    blocks_of,
    compare_pairs,
    variance_by_source,
)
from harness.analysis.conclusions import ArmResult, Conclusions, Pair
from harness.analysis.examples import Scoring
from harness.analysis.labels import arm_label
from harness.analysis.looks import Look, from_record, look_again
from harness.analysis.pareto import pareto_front
from harness.analysis.recommendation import recommend
from harness.analysis.search_progress import progress
from harness.analysis.two_way import two_way
from harness.results.records import BASELINES, Records
from harness.spec.choices import MARGIN, RELATIVE_MARGIN, TRAIN

if TYPE_CHECKING:
    import pandas as pd


def conclude(records: Records) -> Conclusions:
    """All conclusions from the replicates on file; computed once for the same records."""
    found = _concluded.get(records)
    if found is None:
        found = _concluded[records] = _conclude(records)
    return found


# Kept while the records are in use.
_concluded: WeakKeyDictionary[Records, Conclusions] = WeakKeyDictionary()


def _conclude(records: Records) -> Conclusions:
    searched, scoring = bool(records.manifest.search), scoring_of(records)
    scores = {name: records.scores(name) for name in (*records.arms, *BASELINES)}
    margin = _margin(records, scores)
    arms = {name: _result(records, name, scores[name]) for name in records.arms}
    baselines = {
        name: result
        for name in BASELINES
        if (result := _result(records, name, scores[name])).n + result.failed > 0
    }
    levels = levels_of(records)
    of_arms = {name: scores[name] for name in records.arms}
    alike, with_baselines = _families(records, baselines)
    if records.manifest.looks:
        # What the last look saw, whatever was trained since.
        seen = [from_record(record) for record in records.manifest.verdicts]
        pairs = _listed(each for each in seen if each.b not in BASELINES)
        against = _listed(each for each in seen if each.b in BASELINES)
    else:
        pairs = _listed(compare_pairs(alike, of_arms, margin, searched=searched, scoring=scoring))
        against = _listed(
            compare_pairs(with_baselines, scores, margin, searched=searched, scoring=scoring)
        )
    _adjust(arms, of_arms, searched=searched)
    decisive, note = _decisive(records, arms, levels)
    measured = [result for result in decisive.values() if result.mean is not None]
    front = pareto_front(
        [np.nan if r.step_ms is None else r.step_ms for r in measured],
        [np.nan if r.comparable is None else records.metric.sign * r.comparable for r in measured],
    )
    found = Conclusions(
        arms=arms,
        baselines=baselines,
        pairs=pairs,
        baseline_pairs=against,
        metric=records.metric,
        validation_metric=records.validation_metric,
        margin=margin,
        recommended=None,
        front=tuple(measured[i].name for i in front),
        called=records.baselines,
        levels=levels,
        variance=variance_by_source(
            list(of_arms.values()), searched=searched, horizon=scoring.horizon
        ),
        probability_best=probability.best(
            of_arms, list(decisive), searched=searched, scoring=scoring
        ),
        progress=progress(records),
    )
    chosen = recommend(replace(found, arms=decisive))
    if chosen is not None:
        if pairs and all(pair.comparison.estimate.seeds < 2 for pair in pairs) and searched:
            note += " One search of each arm says nothing about the arms, only about what it found."
        chosen = replace(chosen, reason=chosen.reason + note)
    return replace(found, recommended=chosen)


def look_at(
    records: Records, look: Look, before: Sequence[BlockComparison]
) -> list[BlockComparison]:
    """The verdicts of a look at all pairs of arms, and at all arms and baselines."""
    searched = bool(records.manifest.search)
    scores = {name: records.scores(name) for name in (*records.arms, *BASELINES)}
    margin = _margin(records, scores)
    of_arms = {name: scores[name] for name in records.arms}
    alike, with_baselines = _families(records, [name for name in BASELINES if scores[name]])
    return [
        each
        for pairs, among in ((alike, of_arms), (with_baselines, scores))
        for each in look_again(
            [one for one in before if (one.a, one.b) in set(pairs)],
            look,
            pairs,
            among,
            margin,
            searched=searched,
            scoring=scoring_of(records),
        )
    ]


def _families(
    records: Records, baselines: Iterable[str]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The pairs of arms of one level, and of arms with baselines: (a, b) is a minus b."""
    levels = levels_of(records)
    alike = [(b, a) for a, b in itertools.combinations(records.arms, 2) if levels[a] == levels[b]]
    # Baselines were trained on the dataset as it is declared, and not on fewer examples.
    declared = _difficulty(records)[1]
    train = records.manifest.declared_dataset.get(TRAIN)
    values = records.manifest.arm_values
    tried = [
        arm
        for arm in records.arms
        if levels[arm] in (None, declared) and values[arm].get(TRAIN, train) == train
    ]
    return alike, [(arm, base) for base in baselines for arm in tried]


def _adjust(arms: dict[str, ArmResult], scores: Mapping[str, Trainings], *, searched: bool) -> None:
    """Make the means of arms with different searches comparable.

    Arms share the luck of a search. An arm that was left out of later searches has what it would
    have had in them, by the fit of arms and searches.
    """
    blocks = {
        arm: block_means(found)
        for arm, trainings in scores.items()
        if (found := blocks_of(trainings, searched=searched))
    }
    if len({frozenset(of) for of in blocks.values()}) < 2:
        return
    fit = two_way(list(blocks.values()))
    if not fit.connected:
        return
    most = max(len(of) for of in blocks.values())
    full = [place for place, of in enumerate(blocks.values()) if len(of) == most]
    means = [float(np.mean(list(of.values()))) for of in blocks.values()]
    level = float(np.mean([means[place] - fit.effects[place] for place in full]))
    for place, arm in enumerate(blocks):
        arms[arm] = replace(arms[arm], adjusted=float(fit.effects[place]) + level)


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

    `margin` is as studies declare it: of errors it is relative to the lowest mean. `studies` maps a
    label to records and an arm's name. Only studies with equal `scored_on` may be compared.
    Searches are paired by number. This is valid even if the studies have different seeds, because
    the pairs are independent of one another.
    """
    scores = {label: records.scores(arm) for label, (records, arm) in studies.items()}
    searched = any(records.manifest.search for records, _ in studies.values())
    pairs = [(b, a) for a, b in itertools.combinations(studies, 2)]
    first = next(iter(studies.values()))[0]
    if not first.metric.higher_is_better:
        margin *= _lowest(scores.values())
    scoring = scoring_of(first)
    return _listed(compare_pairs(pairs, scores, margin, searched=searched, scoring=scoring))


def scoring_of(records: Records) -> Scoring:
    """How the scores of a study's replicates are to be read."""
    return Scoring(records.metric.higher_is_better, records.horizon)


def margin_of(records: Records) -> float:
    """The difference that the study declares too small to matter, 0 to 1; of errors relative."""
    if records.manifest.margin is not None:
        return records.manifest.margin
    return MARGIN if records.metric.higher_is_better else RELATIVE_MARGIN


def _margin(records: Records, scores: Mapping[str, Trainings]) -> float:
    """The margin in the scores' unit. Of errors it is a share of the best arm's mean error.

    Without replicates, validation errors stand for them.
    """
    margin = margin_of(records)
    if records.metric.higher_is_better:
        return margin
    if any(scores[arm] for arm in records.arms):
        return margin * _lowest(scores[arm] for arm in records.arms)
    validated = records.trials["val_accuracy"].min()
    return margin * float(validated) if validated > 0 else 0.0


def _lowest(scores: Iterable[Trainings]) -> float:
    """The lowest mean of arms; at least one has scores."""
    return min(
        float(np.mean([np.asarray(each).mean() for each in of.values()])) for of in scores if of
    )


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
    both = statistics.over_seeds_and_examples(np.stack(rows), records.horizon) if rows else None
    return ArmResult(
        name=name,
        n=len(values),
        failed=int((ours["state"] == "failed").sum()),
        mean=float(np.mean(list(values.values()))) if values else None,
        seeds=None if seeds is None else statistics.possible(seeds.interval(), records.metric),
        both=None if both is None else statistics.possible(both.interval(), records.metric),
        values=values,
        step_ms=median("step_ms") or _step_of_trials(records, complete),
        train_s=median("train_s"),
        parameters=None if parameters is None else int(parameters),
        searches=len({search for search, _ in scores}) if searched else 0,
    )


def _step_of_trials(records: Records, replicates: "pd.DataFrame") -> float | None:
    """The median of the trials that replicates repeat: those of a group have no times of steps."""
    keys = ["arm", "search", "trial"]
    found = records.trials.merge(replicates[keys].drop_duplicates(), on=keys)["step_ms"].dropna()
    return None if found.empty else float(found.median())


def _listed(found: Iterable[BlockComparison]) -> tuple[Pair, ...]:
    return tuple(Pair(each.a, each.b, each) for each in found)
