"""Several studies side by side: what each recommends, what it costs, and which are better.

Studies scored on the same examples are compared replicate by replicate; others are only listed.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes

from harness.analysis.statistics import pareto_front
from harness.analysis.summary import best_trials, recommended_arm
from harness.analysis.verdicts import ArmResult, Pair, across, conclude, margin_of, scored_on
from harness.core.text import inert
from harness.results.records import Records
from reports import cells, wording
from reports.charts import chart, scales
from reports.content import Column, Data, Figure, Key, Row, Section, Table


@dataclass(frozen=True)
class Entry:
    """A study in the comparison; `label` is unique in it, `chosen` the arm that it recommends."""

    label: str
    records: Records
    chosen: str | None

    @property
    def result(self) -> ArmResult | None:
        return None if self.chosen is None else conclude(self.records).arms[self.chosen]

    @property
    def arm_label(self) -> str:
        return "" if self.chosen is None else wording.arm_label(self.records, self.chosen)


def entries(studies: Sequence[Records]) -> list[Entry]:
    """Studies of one name are told apart by where they lie, or else by a number."""
    found: list[Entry] = []
    for records in studies:
        alike = [other for other in studies if other.study == records.study]
        label = records.study if len(alike) == 1 else f"{records.study} in {records.root.parent}"
        labels = {each.label for each in found}
        numbers = (f"{label} ({number})" for number in itertools.count(2))
        while label in labels:
            label = next(numbers)
        found.append(Entry(inert(label), records, recommended_arm(records)))
    return found


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
    sections = [_answer(listed, groups, pairs), _accuracy(listed), _cost(listed), _declared(listed)]
    return [section for section in sections if section is not None]


def comparable(listed: Sequence[Entry]) -> list[list[Entry]]:
    """Groups of two or more studies with replicates that were scored on the same examples."""
    groups: dict[Any, list[Entry]] = {}
    for each in listed:
        examples = scored_on(each.records)
        if each.result is not None and each.result.n and examples is not None:
            groups.setdefault(examples, []).append(each)
    return [group for group in groups.values() if len(group) > 1]


def _answer(
    listed: Sequence[Entry], groups: Sequence[Sequence[Entry]], pairs: tuple[Pair, ...]
) -> Section:
    return Section(
        id="answer",
        title="Answer",
        text=_sentences(listed, pairs),
        notices=_notices(listed, groups),
        tables=(_recommended(listed), *((_verdicts(pairs),) if pairs else ())),
    )


def _sentences(listed: Sequence[Entry], pairs: tuple[Pair, ...]) -> tuple[str, ...]:
    measured = [each for each in listed if each.result and each.result.mean is not None]
    if not measured:
        return ("None of these studies has replicates yet, so nothing can be said with certainty.",)
    best = max(measured, key=lambda each: (each.result and each.result.mean) or 0.0)
    # Figures of different examples do not make a ranking.
    if len({scored_on(each.records) for each in measured}) > 1:
        return (
            f"{len(listed)} studies on {len({scored_on(e.records) for e in measured})} different "
            "sets of examples: figures of different ones do not rank the studies.",
        )
    assert best.result is not None
    lead = (
        f"The highest mean {best.records.scored_split} {wording.metric(best.records)} is that of "
        f"{best.label} with {best.arm_label}: "
        f"{wording.mean_percent(best.result.mean, best.result.both)}."
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
    told = [wording.capital(wording.listing(settled)) + "."] if settled else []
    if rest:
        told.append(
            f"{wording.plural(rest, 'comparison')} of {len(pairs)} remained inconclusive."
            if settled
            else "No difference between the studies' recommendations is settled."
        )
    return lead, " ".join(told)


def _notices(listed: Sequence[Entry], groups: Sequence[Sequence[Entry]]) -> tuple[str, ...]:
    notices = []
    unfinished = [each.label for each in listed if not each.records.finished]
    if unfinished:
        verb = "is" if len(unfinished) == 1 else "are"
        notices.append(f"{wording.listing(unfinished)} {verb} unfinished: what is on file counts.")
    grouped = {each.label for group in groups for each in group}
    alone = [each.label for each in listed if each.label not in grouped]
    if alone:
        notices.append(
            f"No verdict on {wording.listing(alone)}: only studies with replicates that were "
            "scored on the same examples (dataset, sizes, split) can be compared one by one."
        )
    machines = {str((each.records.manifest.get("environment") or {}).get("cpu")) for each in listed}
    if len(machines) > 1:
        notices.append("These studies ran on different processors: times do not compare.")
    return tuple(notices)


def _metric(listed: Sequence[Entry]) -> str:
    """What the studies are scored by, in words."""
    return " or ".join(dict.fromkeys(wording.metric(each.records) for each in listed))


def _recommended(listed: Sequence[Entry]) -> Table:
    return Table(
        id="recommended",
        caption="What each study recommends",
        columns=(
            Column("Study"),
            Column("Takes"),
            Column("Replicates", True),
            Column(wording.capital(_metric(listed)), True, "%"),
            Column("95\u00a0% interval, seeds and examples", True),
            Column("Scored on"),
            Column("Step", True, "ms"),
            Column("Training", True, "s"),
            Column("Parameters", True),
            Column("Trials", True),
            Column("Begun"),
        ),
        rows=tuple(_recommended_row(each) for each in listed),
    )


def _recommended_row(each: Entry) -> Row:
    result, records = each.result, each.records
    begun = wording.moment(records.manifest.get("created"))
    trials = f"{len(records.trials):,}"
    if result is None:
        return Row((each.label, *[wording.MISSING] * 8, trials, begun))
    split, accuracy = records.scored_split, cells.mean(result.mean, result.both)
    if result.mean is None:
        best = best_trials(records)
        value = best.loc[best["arm"] == each.chosen, "val_accuracy"].iloc[0]
        split, accuracy = "validation", cells.percent(value, wording.validation_size(records))
    dataset = (records.manifest.get("dataset") or {}).get("name")
    return Row(
        (
            each.label,
            each.arm_label,
            f"{result.n:,}",
            accuracy,
            wording.interval(result.both),
            f"{inert(str(dataset))}, {split}" if dataset else split,
            cells.milliseconds(result.step_ms),
            cells.seconds(result.train_s),
            cells.count(result.parameters),
            trials,
            begun,
        )
    )


def _verdicts(pairs: tuple[Pair, ...]) -> Table:
    return Table(
        id="studies-compared",
        caption="The studies' recommendations compared, replicate by replicate and example by "
        "example; intervals and p values corrected by Holm's method",
        columns=(
            Column("Study"),
            Column("Against"),
            Column("Difference", True, "points"),
            Column("95\u00a0% interval, points", True),
            Column("Verdict"),
            Column("p (Holm)", True),
            Column("Replicates", True),
        ),
        rows=tuple(
            Row(
                (
                    pair.a,
                    pair.b,
                    cells.difference(pair.comparison),
                    cells.difference_interval(pair.comparison),
                    pair.comparison.verdict,
                    cells.p_value(pair.comparison),
                    f"{pair.comparison.replicates:,}",
                )
            )
            for pair in pairs
        ),
    )


def _measured(listed: Sequence[Entry]) -> list[tuple[Entry, ArmResult]]:
    return [
        (each, arm)
        for each in listed
        for arm in conclude(each.records).arms.values()
        if arm.mean is not None
    ]


def _keys(listed: Sequence[Entry]) -> list[Key]:
    labels = [each.label for each in listed]
    return [chart.marker_key(label, chart.arm_style(labels, label), "best") for label in labels]


def _accuracy(listed: Sequence[Entry]) -> Section | None:
    """Every arm of every study, with its interval."""
    found = _measured(listed)
    if not found:
        return None
    labels, metric = [each.label for each in listed], _metric(listed)

    def draw(axes: Axes) -> None:
        for row, (each, arm) in enumerate(found):
            style = chart.arm_style(labels, each.label)
            chart.mean_mark(
                axes, row, 100 * (arm.mean or 0.0), chart.percents(arm.bar), style, upright=False
            )
        scales.categories(axes, "y", [_name(each, arm, 22) for each, arm in found])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"{wording.capital(metric)}, %")
        scales.linear(axes, "x")
        means = [100 * (arm.mean or 0.0) for _, arm in found]
        room = max(max(means) - min(means), 1.0)
        axes.set_xlim(max(min(means) - room, -2), min(max(means) + room, 102))

    listing = "; ".join(
        f"{_name(each, arm)} {wording.mean_percent(arm.mean, arm.both)}" for each, arm in found
    )
    return Section(
        id="accuracy",
        title=f"{wording.capital(metric)} of all arms",
        text=("Means of the replicates with 95\u00a0% intervals over seeds and examples.",),
        figures=(
            Figure(
                id="accuracy-figure",
                panels=(
                    chart.panel(
                        "accuracy-studies",
                        f"Interval chart of the arms' mean {metric}, study by study: {listing}.",
                        draw,
                        height=70 + 24 * len(found),
                    ),
                ),
                caption="One mark an arm; the chart may cut wide intervals.",
                legend=tuple(_keys(listed)),
                data=Data(
                    ("study", "arm", "replicates", "accuracy", "low", "high"),
                    tuple(
                        (
                            each.label, arm.name, arm.n, arm.mean,
                            *((None, None) if arm.both is None or arm.n < 2 else arm.both),
                        )
                        for each, arm in found
                    ),
                ),
            ),
        ),
    )  # fmt: skip


def _name(each: Entry, arm: ArmResult, length: int = 80) -> str:
    if len(each.records.arms) == 1:
        return wording.shorten(each.label, length)
    label = f"{each.label}: {wording.arm_label(each.records, arm.name)}"
    if len(label) <= length:
        return label
    half = length // 2
    arm_text = wording.arm_label(each.records, arm.name)
    return f"{wording.shorten(each.label, half)}: {wording.shorten(arm_text, half)}"


def _cost(listed: Sequence[Entry]) -> Section | None:
    """All arms by accuracy and step time, with the Pareto front where they can be ranked."""
    found = [(each, arm) for each, arm in _measured(listed) if (arm.step_ms or 0) > 0]
    if len(found) < 2:
        return None
    metric = _metric(listed)
    labels = [each.label for each in listed]
    costs = [float(arm.step_ms or 0.0) for _, arm in found]
    means = [100 * (arm.mean or 0.0) for _, arm in found]
    ranked = len({scored_on(each.records) for each, _ in found}) == 1
    front = pareto_front(costs, means) if ranked else []

    def draw(axes: Axes) -> None:
        if front:
            axes.step(
                [*(costs[i] for i in front), max(costs)],
                [*(means[i] for i in front), means[front[-1]]],
                where="post", color=chart.INK, linewidth=1.2, zorder=2.2,
            )  # fmt: skip
        for (each, _), at, mean in zip(found, costs, means, strict=True):
            style = chart.arm_style(labels, each.label)
            chart.mean_mark(axes, at, mean, None, style, upright=True)
        scales.logarithmic(axes, "x", costs, "{:g} ms".format)
        scales.linear(axes, "y")
        axes.set_xlabel("Step time")
        axes.set_title(f"{wording.capital(metric)}, %")

    told = "; ".join(
        f"{_name(each, arm)} {wording.mean_percent(arm.mean, arm.both)} for "
        f"{wording.milliseconds(arm.step_ms)}{', on the Pareto front' if i in front else ''}"
        for i, (each, arm) in enumerate(found)
    )
    keys = _keys(listed)
    if front:
        keys.append(chart.line_key("Pareto front", chart.INK))
    return Section(
        id="cost",
        title=f"{wording.capital(metric)} against cost",
        text=(
            f"On the Pareto front is what nothing cheaper matches in {metric}."
            if front
            else "Scored on different examples, so there is no Pareto front of them all.",
        ),
        figures=(
            Figure(
                id="cost-figure",
                panels=(
                    chart.panel(
                        "cost-studies",
                        f"Scatter chart of mean {metric} against step time: {told}.",
                        draw,
                    ),
                ),
                caption="Costs are medians over replicates, on a logarithmic scale.",
                legend=tuple(keys),
                data=Data(
                    ("study", "arm", "accuracy", "step_ms", "train_s", "parameters"),
                    tuple(
                        (each.label, arm.name, arm.mean, arm.step_ms, arm.train_s, arm.parameters)
                        for each, arm in found
                    ),
                ),
            ),
        ),
    )


def _declared(listed: Sequence[Entry]) -> Section:
    declared = {each.label: _flat(each.records) for each in listed}
    names = list(dict.fromkeys(name for fields in declared.values() for name in fields))
    rows = tuple(
        Row((wording.spoken(name), *values))
        for name in names
        if len(set(values := [declared[each.label].get(name, "–") for each in listed])) > 1
    )
    text = "Only what differs is listed." if rows else "These studies are declared alike."
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
    """A study's declaration as words by name; hyperparameters by their own names."""
    spec: Mapping[str, Any] = records.manifest.get("spec") or {}
    found: dict[str, str] = {}
    for key, value in spec.items():
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
