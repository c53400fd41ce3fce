"""The page of a tutorial's claims: each one's verdict, the studies behind it, and all effects."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from harness.analysis.claims import Answer, Context
from harness.analysis.conclusions import Pair
from harness.analysis.labels import interval_text
from harness.analysis.pooled import LEAST, Pooled, pool
from harness.core.metrics import ACCURACY
from harness.results.records import Records
from reports import cells, page, wording
from reports.charts import chart, scales
from reports.content import Column, Command, Data, Figure, Row, Section, Table

RULE = (
    "The arms of a study that differ in depth alone are one context. In it a claim holds if a "
    "deeper network is better than one layer, and fails if none is better by more than the "
    "study's margin; both by intervals that are corrected for all comparisons of the study. "
    "That a cell can stand in for another holds if it is better, or worse by less than the margin. "
    "A context that one layer has solved leaves no room and does not count. If a claim has several "
    "studies, better must also hold after correction for their number. This rule was written "
    "before the studies ran."
)
VERDICTS = {
    "supported": "it holds in every context",
    "refuted": "it fails in every context",
    "depends": "it holds in some contexts and fails in others",
    "undecided": "anything else, at the budget of these studies",
}


@dataclass(frozen=True)
class State:
    """How far a study is: `records` are None where it has not begun, and `note` says why."""

    records: Records | None
    note: str


def render(answers: Sequence[Answer], states: Mapping[str, State], *, now: str) -> str:
    """The whole page; `now` (ISO 8601) is the time when it is made."""
    return page.compose(
        "page.html",
        study="claims",
        source="the run directories of these studies",
        question="A tutorial's claims about deep RNNs, each put to the test",
        finished=all(each.records and each.records.finished for each in states.values()),
        sections=[
            _answer(answers, states),
            *_forest(answers),
            *(
                _claim(number, each, states)
                for number, each in enumerate(answers, 1)
                if each.contexts
            ),
            _states(states),
            _rule(),
        ],
        now=now,
    )


def _answer(answers: Sequence[Answer], states: Mapping[str, State]) -> Section:
    counts = [
        f"{number} {verdict}"
        for verdict in VERDICTS
        if (number := sum(each.verdict == verdict for each in answers))
    ]
    rows = tuple(
        Row((each.claim.words, each.verdict, wording.capital(each.reason) + "."))
        for each in answers
    )
    unfinished = [
        name for name, state in states.items() if not (state.records and state.records.finished)
    ]
    return Section(
        id="answer",
        title="Answer",
        notices=(
            (f"Not finished: {wording.listing(unfinished)}. What they still lack is open here.",)
            if unfinished
            else ()
        ),
        text=(
            f"Of {wording.counted(len(answers), 'claim')}, {wording.listing(counts)}, where the "
            "last means at this budget.",
        ),
        tables=(
            Table(
                "claims",
                "The claims in the tutorial's words",
                (Column("Claim"), Column("Verdict"), Column("What it rests on")),
                rows,
            ),
        ),
    )


def _effects(answers: Sequence[Answer]) -> list[tuple[Context, Pair, int]]:
    """Each comparison of a deeper network with one layer in accuracy, and its depth."""
    found = []
    for answer in answers:
        for context in answer.contexts:
            if answer.claim.subject != "depth" or not context.metric.name.endswith(ACCURACY):
                continue
            for pair in context.pairs:
                depth = int(context.values[pair.a])
                if depth in (2, 3, 4):
                    found.append((context, pair, depth))
    return found


def _forest(answers: Sequence[Answer]) -> list[Section]:
    effects = _effects(answers)
    if not effects:
        return []
    depths = sorted({depth for *_, depth in effects})
    summaries = {
        depth: pool(
            [pair.comparison.difference for _, pair, of in effects if of == depth],
            [pair.comparison.estimate.error for _, pair, of in effects if of == depth],
        )
        for depth in depths
        if all(pair.comparison.estimate.error > 0 for _, pair, of in effects if of == depth)
    }
    figures = tuple(
        _figure([each for each in effects if each[2] == depth], depth, summaries.get(depth))
        for depth in depths
    )
    return [
        Section(
            id="forest",
            title="What can be expected of another layer",
            text=tuple(_summary(depth, summaries.get(depth), effects) for depth in depths),
            figures=figures,
        )
    ]


def _summary(depth: int, found: Pooled | None, effects: Sequence[tuple[Context, Pair, int]]) -> str:
    if found is None:
        number = sum(of == depth for *_, of in effects)
        return (
            f"Depth {depth} less depth 1: {wording.counted(number, 'effect')}, too few to say how "
            f"tasks differ (that needs {LEAST}, each with an interval)."
        )
    metric = effects[0][0].metric
    return (
        f"Depth {depth} less depth 1, on average over {found.effects} contexts: "
        f"{metric.with_unit(metric.signed(found.mean))} {interval_text(found.interval, metric)}. "
        f"On one more such task the true effect is expected in "
        f"{interval_text(found.prediction, metric)}. Differences between tasks make "
        f"{100 * found.i2:.0f}\u00a0% of the variance (I²)."
    )


def _figure(
    effects: Sequence[tuple[Context, Pair, int]], depth: int, found: Pooled | None
) -> Figure:
    metric = effects[0][0].metric
    names = [wording.shorten(f"{each.study} {each.label}".strip(), 30) for each, *_ in effects]
    intervals = [pair.comparison.estimate.interval() for _, pair, _ in effects]
    means = [metric.factor * pair.comparison.difference for _, pair, _ in effects]
    pooled = [(found.mean, found.interval), (found.mean, found.prediction)] if found else []

    def draw(axes: Axes) -> None:
        axes.axvline(0.0, color=chart.INK, linewidth=1.0)
        for row, (mean, interval) in enumerate(zip(means, intervals, strict=True)):
            style = chart.Style(chart.SERIES[0], "s")
            chart.mean_mark(axes, row, mean, chart.ends(metric, interval), style, upright=False)
        for row, (mean, interval) in enumerate(pooled, len(means)):
            style = chart.Style(chart.SERIES[1], "D")
            chart.mean_mark(
                axes, row, metric.factor * mean, chart.ends(metric, interval), style, upright=False
            )
        labels = [*names, *(("mean over tasks", "one more task") if found else ())]
        scales.categories(axes, "y", labels)
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlabel(f"Depth {depth} less depth 1{metric.in_unit}")
        scales.linear(axes, "x")
        extent = 1.3 * max(
            [1.0, *map(abs, means)]
            + [metric.factor * abs(end) for pair in pooled for end in pair[1]]
        )
        axes.set_xlim(-extent, extent)

    listing = "; ".join(
        f"{name} {metric.signed(pair.comparison.difference)} {interval_text(interval, metric)}"
        for name, (_, pair, _), interval in zip(names, effects, intervals, strict=True)
    )
    return Figure(
        id=f"forest-{depth}",
        panels=(
            chart.panel(
                f"forest-{depth}-plot",
                f"Forest plot of depth {depth} less depth 1 by task{metric.in_unit}: {listing}.",
                draw,
                height=80 + 22 * (len(effects) + len(pooled)),
            ),
        ),
        caption=(
            "Differences in accuracy with 95\u00a0% intervals, each of its pair alone; the chart "
            "may cut wide ones. Diamonds: the mean over tasks with its interval, and where the "
            "effect on one more task is expected."
        ),
        data=Data(
            ("study", "context", "arm", "base", "difference", "low", "high"),
            tuple(
                (
                    each.study, each.label, pair.a, pair.b, pair.comparison.difference,
                    *(None if math.isinf(end) else end for end in interval),
                )
                for (each, pair, _), interval in zip(effects, intervals, strict=True)
            ),
        ),
    )  # fmt: skip


def _claim(number: int, answer: Answer, states: Mapping[str, State]) -> Section:
    rows = tuple(
        Row(
            (
                context.study,
                context.label or wording.MISSING,
                f"{answer.claim.subject} {context.values[pair.a]} less {context.values[pair.b]}",
                cells.difference(context.metric, pair.comparison),
                cells.difference_interval(context.metric, pair.comparison),
                pair.comparison.verdict,
                cells.detectable(context.metric, pair.comparison),
                cells.value(context.cost.get(pair.a), lambda ratio: f"{ratio:.1f}×"),
            )
        )
        for context in answer.contexts
        for pair in context.pairs
    )
    names = [name for name in answer.claim.studies if states[name].records is not None]
    return Section(
        id=f"claim-{number}",
        title=answer.claim.words,
        text=(
            f"{wording.capital(answer.verdict)}"
            f"{' at this budget' if answer.verdict == 'undecided' else ''}. "
            f"{wording.capital(answer.reason)}.",
            *(f"Published elsewhere: {text}" for text in answer.claim.published),
        ),
        tables=(
            Table(
                f"claim-{number}-pairs",
                "Each comparison, with an interval that is corrected for all of its study, and the "
                "smallest true difference that four of five such studies would find",
                (
                    Column("Study"),
                    Column("Among"),
                    Column("Comparison"),
                    Column("Difference", True),
                    Column("95\u00a0% interval", True),
                    Column("Verdict"),
                    Column("Detectable", True),
                    Column("Step time", True),
                ),
                rows,
            ),
        )
        if rows
        else (),
        commands=tuple(Command("The study", f"python -m harness.study {name}") for name in names),
    )


def _states(states: Mapping[str, State]) -> Section:
    rows = []
    for name, state in states.items():
        records = state.records
        if records is None:
            rows.append(Row((name, "not run", "", "", state.note)))
            continue
        trials, replicates = len(records.trials), len(records.replicates)
        spent = float(records.trials["train_s"].sum() + records.replicates["train_s"].sum())
        rows.append(
            Row(
                (
                    name,
                    "finished" if records.finished else "unfinished",
                    cells.count(trials),
                    cells.count(replicates),
                    state.note or f"{spent / 3600:.1f} h of training",
                )
            )
        )
    return Section(
        id="studies",
        title="The studies",
        text=("Each is resumed by its command, or all of them by harness claims.",),
        tables=(
            Table(
                "studies-table",
                "How far each study is",
                (
                    Column("Study"),
                    Column("State"),
                    Column("Trials", True),
                    Column("Replicates", True),
                    Column("Note"),
                ),
                tuple(rows),
            ),
        ),
        commands=(Command("Run or resume them all", "harness claims"),),
    )


def _rule() -> Section:
    return Section(
        id="rule",
        title="From verdicts to words",
        text=(RULE,),
        tables=(
            Table(
                "words",
                "What is said of a claim",
                (Column("Verdict"), Column("Meaning")),
                tuple(map(Row, VERDICTS.items())),
            ),
        ),
    )
