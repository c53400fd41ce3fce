"""Test scores against what the study compares: every replicate, intervals, baselines."""

import math
from typing import Any

from matplotlib.axes import Axes

from harness.analysis.conclusions import ArmResult, Conclusions
from harness.analysis.summary import measures
from harness.analysis.verdicts import conclude
from harness.core.metrics import ACCURACY, Metric
from harness.results.records import BASELINES, MAJORITY, Records
from reports import cells, selection, wording
from reports.charts import chart, scales
from reports.charts.arm_axis import Layout, axes_of, of
from reports.content import Column, Data, Figure, Key, Panel, Row, Section, Table, Value

ORDER = 20
# Of the errors beside the MAE, those that are not in its unit.
_MEASURE_UNITS = {"MASE": "", "sMAPE": "%"}


def build(records: Records) -> Section | None:
    found = conclude(records)
    measured = [arm for arm in found.arms.values() if arm.n]
    if not measured:
        return None
    layout = of(records)
    limits = _limits(measured, found)
    return Section(
        id="accuracy",
        title=f"{wording.scored_metric(records)} against {layout.name}"
        if layout.name
        else wording.scored_metric(records),
        text=(_text(records, found, layout), *_untrained(found)),
        figures=(
            Figure(
                # The link to its data is read aloud with this name.
                id="accuracy-figure" if found.metric.name.endswith(ACCURACY) else "scores-figure",
                panels=(_panel(records, found, layout, limits),),
                caption=_caption(records, found, limits),
                legend=_legend(records, found, limits),
                data=_data(records),
            ),
        ),
        tables=(_table(records, found),),
    )


def scores_figure(records: Records, found: Conclusions) -> Figure:
    """The same chart for the answer, beside its words; the section says more about it."""
    limits = _limits([arm for arm in found.arms.values() if arm.n], found)
    return Figure(
        id="answer-figure",
        panels=(_panel(records, found, of(records), limits, identity="answer-test"),),
        caption="Means of the arms with 95\u00a0% intervals, and each replicate.",
        legend=_legend(records, found, limits),
        data=_data(records),
    )


def _data(records: Records) -> Data:
    return selection.data(
        records.replicates.dropna(subset=["scored_accuracy"]),
        "arm",
        *selection.search_column(records),
        "replicate",
        "seed",
        "scored_accuracy",
        "scored_n",
    )


def _text(records: Records, found: Conclusions, layout: Layout) -> str:
    sizes = records.replicates["scored_n"].dropna()
    examples = f" of {int(sizes.max()):,} {wording.examples(records)}" if not sizes.empty else ""
    most = max(arm.n for arm in found.arms.values())
    split = (
        f"a test split{examples} that the search never saw"
        if records.scored_split == "test"
        else f"the validation split{examples}"
    )
    if records.scored_split != "test" and records.manifest.search:
        split += ", by which it was also chosen, so its scores are probably too good"
    several = wording.several_searches(records)
    if several:
        most = max(wording.most_replicates(arm) for arm in found.arms.values())
    times = "once more, on a fresh seed" if most == 1 else f"{most} more times, on fresh seeds"
    if several:
        subject = "Each arm" if layout.name else "The space"
        return (
            f"{subject} was searched {wording.times_searched(records)} times, each time from "
            f"nothing. The best configuration of each search was trained {times}, and scored on "
            f"{split}. Replicates of the same search and number share their seed."
        )
    which = "Each arm's best configuration" if layout.name else "The best configuration"
    return (
        f"{which} was trained {times}, and scored on {split}. Replicates of the same number share "
        "their seed."
    )


def _untrained(found: Conclusions) -> tuple[str, ...]:
    """That baselines did not train, so that nobody takes pride in beating them."""
    if not found.untrained:
        return ()
    names = wording.listing([f"the {found.called[name]}" for name in found.untrained])
    several = len(found.untrained) > 1
    return (
        f"{wording.capital(names)} did not train: {'they are' if several else 'it is'} no better "
        f"than the {found.called[MAJORITY]}. Either a model without order finds nothing in "
        "these data, or it needs more of them. To beat it says nothing.",
    )


def _limits(measured: list[ArmResult], found: Conclusions) -> tuple[float, float]:
    """The part of the scores' axis to show: all dots, and intervals and baselines nearby."""
    values = [value for arm in measured for value in arm.values.values()]
    low, high = min(values), max(values)
    least = chart.room(found.metric, values)
    near = max(3 * (high - low), 5 * least)
    for base in found.baselines.values():
        if base.mean is not None and low - near <= base.mean <= high + near:
            low, high = min(low, base.mean), max(high, base.mean)
    room = max(high - low, least)
    ends = [arm.bar for arm in measured if arm.bar is not None]
    bottom = min([low - 0.15 * room, *(max(end.low - 0.02 * room, low - room) for end in ends)])
    top = max([high + 0.15 * room, *(min(end.high + 0.02 * room, high + room) for end in ends)])
    return max(bottom, found.metric.least - 2 * least), min(top, found.metric.most + 2 * least)


def _panel(
    records: Records,
    found: Conclusions,
    layout: Layout,
    limits: tuple[float, float],
    identity: str = "accuracy-test",
) -> Panel:
    upright, metric = layout.upright, found.metric

    def draw(axes: Axes) -> None:
        for name, arm in found.arms.items():
            if arm.mean is None:
                continue
            style = chart.arm_style(records.arms, name)
            place = layout.positions[name]
            shift = 0.16 * layout.step
            offsets = scales.spread(len(arm.values), 0.2 * layout.step)
            at = [place - shift + offset for offset in offsets]
            heights = [metric.factor * value for value in arm.values.values()]
            anchors = [wording.replicate_anchor(name, number, of) for of, number in arm.values]
            x, y = (at, heights) if upright else (heights, at)
            chart.mark(axes, x, y, style, "complete", anchors)
            mean, ends = metric.factor * arm.mean, chart.ends(metric, arm.bar)
            chart.mean_mark(axes, place + shift / 2, mean, ends, style, upright)
        for name, base in found.baselines.items():
            if base.mean is not None and limits[0] <= base.mean <= limits[1]:
                line = axes.axhline if upright else axes.axvline
                dash, _ = _dashes(name)
                line(
                    metric.factor * base.mean, color=chart.INK, linewidth=1.2, zorder=2,
                    linestyle=dash,
                )  # fmt: skip
        if not layout.name:
            axes.set_xlim(-1, 1)
            axes.set_xticks([])
        axes_of(records, axes, layout, metric.axis(wording.scored_metric(records)))
        (axes.set_ylim if upright else axes.set_xlim)(*(metric.factor * limit for limit in limits))

    return chart.panel(
        identity,
        _alt(records, found),
        draw,
        tooltips=selection.replicate_tooltips(records),
        height=layout.height,
    )


def _dashes(name: str) -> tuple[Any, str]:
    """How a baseline's line is drawn, in the chart and in its legend."""
    return chart.DASHES[list(BASELINES).index(name) % len(chart.DASHES)]


def _caption(records: Records, found: Conclusions, limits: tuple[float, float]) -> str:
    several = any(arm.n > 1 for arm in found.arms.values())
    draws = wording.draws(records)
    bars = (
        f"Large marks are means; bars are their 95\u00a0% intervals, over {draws} and "
        f"{wording.examples(records)} together. Each small dot is a replicate, one training."
        if several
        else "One replicate per arm, so there is no interval."
    )
    wide = any(
        arm.bar is not None and (arm.bar.low < limits[0] or arm.bar.high > limits[1])
        for arm in found.arms.values()
    )
    cut = " Some bars are cut at the edge of the chart; the table has their ends." if wide else ""
    outside = [
        f"{found.called[name]} ({wording.score(found.metric, base.mean)})"
        for name, base in found.baselines.items()
        if base.mean is not None and not limits[0] <= base.mean <= limits[1]
    ]
    off = f" Outside the chart: {wording.listing(outside)}." if outside else ""
    return bars + cut + off


def _legend(records: Records, found: Conclusions, limits: tuple[float, float]) -> tuple[Key, ...]:
    style = chart.arm_style(records.arms, records.arms[0])
    keys = [
        chart.marker_key("replicate", style, "complete"),
        chart.marker_key("mean", style, "best"),
    ]
    for name, base in found.baselines.items():
        if base.mean is not None and limits[0] <= base.mean <= limits[1]:
            _, dash = _dashes(name)
            mean = wording.mean_score(found.metric, base.mean, base.both)
            label = f"{records.baselines[name]}, {mean}"
            label += ", did not train" if name in found.untrained else ""
            keys.append(chart.line_key(label, chart.INK, dash))
    return tuple(keys)


def _alt(records: Records, found: Conclusions) -> str:
    results = [*found.arms.values(), *found.baselines.values()]
    listed = "; ".join(
        f"{wording.arm_label(records, r.name)} {wording.mean_score(found.metric, r.mean, r.both)}"
        + (f" (interval {wording.interval(found.metric, r.bar)})" if r.bar is not None else "")
        for r in results
        if r.mean is not None
    )
    metric = found.metric
    best = max(
        found.arms.values(),
        key=lambda arm: -math.inf if arm.mean is None else metric.sign * arm.mean,
    )
    first = wording.arm_label(records, best.name)
    end = f" The {metric.best} mean among arms is that of {first}." if len(records.arms) > 1 else ""
    scored = f"{records.scored_split} {wording.scored(records)}"
    return f"Dot chart of {scored}, replicates and their means: {listed}.{end}"


def _table(records: Records, found: Conclusions) -> Table:
    several, draws = wording.several_searches(records), wording.draws(records)
    metric, measured = found.metric, list(measures(records, records.arms[0]))
    rows = [
        _row(records, arm, "best" if found.recommended and name == found.recommended.arm else "")
        for name, arm in found.arms.items()
    ]
    rows += [
        _row(records, base, "baseline", " (did not train)" if name in found.untrained else "")
        for name, base in found.baselines.items()
    ]
    return Table(
        id="test-accuracy",
        caption=f"{wording.scored_metric(records)} of arms and baselines, and what they cost"
        + ("; baselines are not searched, so their intervals are over seeds" if several else ""),
        columns=(
            Column("Arm"),
            Column(wording.scored_metric(records), True, metric.unit),
            Column(f"95\u00a0% interval, {draws} and {wording.examples(records)}", True),
            *((Column("Searches", True),) if several else ()),
            Column("Replicates", True),
            Column("Failed", True),
            Column(f"{draws.capitalize()} alone", True),
            Column("Lowest", True, metric.unit),
            Column("Highest", True, metric.unit),
            *(Column(name, True, _MEASURE_UNITS.get(name, metric.unit)) for name in measured),
            Column("Step", True, "ms"),
            Column("Training", True, "s"),
            Column("Parameters", True),
        ),
        rows=tuple(rows),
    )


def _row(records: Records, result: ArmResult, kind: str, note: str = "") -> Row:
    values, several = list(result.values.values()), wording.several_searches(records)
    metric = records.metric
    return Row(
        (
            wording.arm_label(records, result.name) + note,
            cells.mean(metric, result.mean, result.both),
            wording.interval(metric, result.both),
            *((f"{result.searches}" if result.searches else wording.MISSING,) if several else ()),
            f"{result.n:,}",
            f"{result.failed:,}",
            wording.interval(metric, result.seeds),
            cells.score(metric, min(values, default=None)),
            cells.score(metric, max(values, default=None)),
            *(
                _measure(metric, name, value)
                for name, value in measures(records, result.name).items()
            ),
            cells.milliseconds(result.step_ms),
            cells.seconds(result.train_s),
            cells.count(result.parameters),
        ),
        kind=kind,
    )


def _measure(metric: Metric, name: str, value: float | None) -> Value | str:
    """Another error of a forecast: RMSE in the target's unit, MASE without one, sMAPE in %."""
    if name not in _MEASURE_UNITS:
        return cells.score(metric, value)
    unit = _MEASURE_UNITS[name]
    return cells.value(
        value, lambda each: f"{each:.{1 if unit else 2}f}{wording.NBSP * bool(unit)}{unit}"
    )
