"""Several studies side by side: what each recommends, what it costs, and which are better.

Studies scored on the same examples are compared, search by search; others are only listed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis.conclusions import Pair
from harness.analysis.summary import best_trials
from harness.analysis.verdicts import across, margin_of, scored_on
from harness.core.metrics import Metric
from harness.core.text import sanitize
from harness.results.records import Records
from reports import basis, cells, page, wording
from reports.content import Column, Row, Section, Table
from reports.pages import compared_studies
from reports.pages.compared_studies import Entry, comparable, metric_of, scores_of
from reports.pages.comparison_figures import accuracy_chart, cost_chart


def build(listed: Sequence[Entry]) -> list[Section]:
    """The page's sections, in order."""
    groups = comparable(listed)
    pairs = tuple(
        pair
        for group in groups
        for pair in across(
            {each.label: (each.records, str(each.chosen)) for each in group},
            max(margin_of(each.records) for each in group),
        )
    )
    sections = [
        _answer(listed, groups, pairs),
        accuracy_chart(listed),
        cost_chart(listed),
        _declared(listed),
    ]
    return [section for section in sections if section is not None]


def _answer(
    listed: Sequence[Entry], groups: Sequence[Sequence[Entry]], pairs: tuple[Pair, ...]
) -> Section:
    return Section(
        id="answer",
        title="Answer",
        text=_sentences(listed, pairs),
        notices=_notices(listed, groups),
        tables=(_recommended(listed), *_verdicts(listed, pairs)),
    )


def _sentences(listed: Sequence[Entry], pairs: tuple[Pair, ...]) -> tuple[str, ...]:
    measured = [each for each in listed if each.result and each.result.mean is not None]
    if not measured:
        return ("None of these studies has replicates yet, so nothing can be said with certainty.",)
    metric = measured[0].records.metric
    best = max(measured, key=lambda each: metric.sign * ((each.result and each.result.mean) or 0.0))
    # Scores on different examples do not make a ranking.
    if len({scored_on(each.records) for each in measured}) > 1:
        return (
            f"{len(listed)} studies on {len({scored_on(e.records) for e in measured})} different "
            "sets of examples: scores on different ones do not rank the studies.",
        )
    assert best.result is not None
    lead = (
        f"The {metric.best} mean {best.records.scored_split} {wording.scored(best.records)} is "
        "that of "
        f"{best.label} with {best.arm_label}: "
        f"{wording.mean_score(metric, best.result.mean, best.result.both)}."
    )
    settled = [
        f"{pair.a} is {pair.comparison.verdict} "
        f"{'to' if pair.comparison.verdict == 'equivalent' else 'than'} {pair.b}"
        for pair in pairs
        if pair.comparison.verdict != "inconclusive"
    ]
    if not pairs:
        return (lead,)
    rest = len(pairs) - len(settled)
    sentences = [wording.capital(wording.listing(settled)) + "."] if settled else []
    if rest:
        sentences.append(
            f"{wording.counted(rest, 'comparison')} of {len(pairs)} remained inconclusive."
            if settled
            else "No difference between the studies' recommended arms was shown."
        )
    return lead, " ".join(sentences)


def _notices(listed: Sequence[Entry], groups: Sequence[Sequence[Entry]]) -> tuple[str, ...]:
    notices = []
    unfinished = [each.label for each in listed if not each.records.finished]
    if unfinished:
        verb = "is" if len(unfinished) == 1 else "are"
        notices.append(
            f"{wording.listing(unfinished)} {verb} unfinished: this page has what is on file."
        )
    grouped = {each.label for group in groups for each in group}
    alone = [each.label for each in listed if each.label not in grouped]
    if alone:
        notices.append(
            f"No verdict on {wording.listing(alone)}: only studies with replicates that were "
            "scored on the same examples (dataset, sizes, split) can be compared one by one."
        )
    quick = [each.label for each in listed if each.records.manifest.quick]
    if quick:
        notices.append(
            f"{wording.listing(quick)}: a quick study recommends nothing; the arm that did best in "
            "it is listed."
        )
    single = [each.label for group in groups for each in group if basis.one_search(each.records)]
    if single:
        notices.append(
            f"One search of each arm in {wording.listing(single)}: this is about the "
            "configurations found, and decides nothing about studies."
        )
    if metric_of(listed) is None:
        notices.append(
            f"The studies are scored by {scores_of(listed)}: scores of different metrics or units "
            "are not comparable, so they are in the table, but not in one chart."
        )
    machines = {str(each.records.manifest.environment.get("cpu")) for each in listed}
    if len(machines) > 1:
        notices.append("These studies ran on different processors: their times are not comparable.")
    return tuple(notices)


def _recommended(listed: Sequence[Entry]) -> Table:
    metric = metric_of(listed)
    return Table(
        id="recommended",
        caption="What each study recommends",
        columns=(
            Column("Study"),
            Column("Recommended arm"),
            Column("Replicates", True),
            Column(wording.capital(metric.name), True, metric.unit)
            if metric
            else Column("Score", True),
            Column("95\u00a0% interval", True),
            Column("Scored on"),
            Column("Step", True, "ms"),
            Column("Training", True, "s"),
            Column("Parameters", True),
            Column("Trials", True),
            Column("Started"),
        ),
        rows=tuple(_recommended_row(each) for each in listed),
    )


def _recommended_row(each: Entry) -> Row:
    result, records = each.result, each.records
    started = wording.moment(records.manifest.created)
    trials = f"{len(records.trials):,}"
    if result is None:
        return Row((each.label, *[wording.MISSING] * 8, trials, started))
    split, score = records.scored_split, cells.mean(records.metric, result.mean, result.both)
    if result.mean is None:
        best = best_trials(records)
        value = best.loc[best["arm"] == each.chosen, "val_accuracy"].iloc[0]
        metric, size = records.validation_metric, wording.validation_size(records)
        split, score = "validation", cells.score(metric, value, size)
    dataset = records.manifest.dataset.get("name")
    return Row(
        (
            each.label,
            each.arm_label,
            f"{result.n:,}",
            score,
            wording.interval(records.metric, result.both),
            f"{sanitize(str(dataset))}, {split}" if dataset else split,
            cells.milliseconds(result.step_ms),
            cells.seconds(result.train_s),
            cells.count(result.parameters),
            trials,
            started,
        )
    )


def _verdicts(listed: Sequence[Entry], pairs: tuple[Pair, ...]) -> tuple[Table, ...]:
    """A table for each metric: those in a group have the same one."""
    metrics = {each.label: each.records.metric for each in listed}
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(metrics[pair.a].title, []).append(pair)
    return tuple(
        _compared(metrics[of[0].a], of, "" if not number else f"-{number + 1}")
        for number, of in enumerate(found.values())
    )


def _compared(metric: Metric, pairs: Sequence[Pair], suffix: str) -> Table:
    return Table(
        id=f"studies-compared{suffix}",
        caption="The studies' recommendations compared, search by search (or seed by seed, where "
        "nothing is searched) and example by example; intervals and p values corrected by Holm's "
        "method",
        columns=(
            Column("Study"),
            Column("Against"),
            Column("Difference", True, metric.difference_unit),
            Column(f"95\u00a0% interval{metric.in_unit}", True),
            Column("Verdict"),
            Column("Reason"),
            Column("p (Holm)", True),
            Column("Searches or seeds", True),
        ),
        rows=tuple(
            Row(
                (
                    pair.a,
                    pair.b,
                    cells.difference(metric, pair.comparison),
                    cells.difference_interval(metric, pair.comparison),
                    pair.comparison.verdict,
                    pair.comparison.reason,
                    cells.p_value(pair.comparison),
                    f"{pair.comparison.replicates:,}",
                )
            )
            for pair in pairs
        ),
    )


def _declared(listed: Sequence[Entry]) -> Section:
    declared = {each.label: _flat(each.records) for each in listed}
    names = list(dict.fromkeys(name for fields in declared.values() for name in fields))
    rows = tuple(
        Row((wording.label(name), *values))
        for name in names
        if len(set(values := [declared[each.label].get(name, "–") for each in listed])) > 1
    )
    text = "Only what differs is listed." if rows else "These studies have the same declaration."
    return Section(
        id="declared",
        title="What the studies declare differently",
        text=(text,),
        tables=(
            Table(
                "differences",
                "Declarations that differ",
                (Column("Item"), *(Column(each.label) for each in listed)),
                rows,
            ),
        )
        if rows
        else (),
    )


def _flat(records: Records) -> dict[str, str]:
    """A study's declaration as text, by name; hyperparameters have their own names."""
    found: dict[str, str] = {}
    for key, value in records.manifest.spec.items():
        if key == "search" and isinstance(value, Mapping):
            found |= {
                name: f"searched, {wording.distribution_text(each)}" for name, each in value.items()
            }
        elif key in ("compare", "fixed") and isinstance(value, Mapping):
            kind = {"compare": "compared, ", "fixed": ""}[key]
            found |= {name: f"{kind}{_text(each)}" for name, each in value.items()}
        elif isinstance(value, Mapping):
            found |= {f"{key} {name}": _text(each) for name, each in value.items()}
        else:
            found[key] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(wording.value_text, value))
    return wording.value_text(value)


def render(studies: Sequence[Records], *, now: str) -> str:
    """The whole page; `now` (ISO 8601) is the time when it is made."""
    listed = compared_studies.entries(studies)
    return page.compose(
        "page.html",
        study="comparison",
        source="the run directories of these studies",
        question=" against ".join(each.label for each in listed),
        finished=all(records.finished for records in studies),
        sections=build(listed),
        now=now,
    )
