"""Test accuracy against what the study compares: every replicate, intervals, baselines."""

import math

from matplotlib.axes import Axes

from harness.analysis.conclusions import ArmResult, Conclusions
from harness.analysis.verdicts import conclude
from harness.results.records import BAG_OF_EMBEDDINGS, Records
from reports import cells, selection, wording
from reports.charts import chart, scales
from reports.charts.arm_axis import Layout, axes_of, of
from reports.content import Column, Figure, Key, Panel, Row, Section, Table

ORDER = 20
_DASHES = {BAG_OF_EMBEDDINGS: (0, (6, 3))}
_DOTS = (0, (1.5, 2.5))


def build(records: Records) -> Section | None:
    found = conclude(records)
    measured = [arm for arm in found.arms.values() if arm.n]
    if not measured:
        return None
    layout = of(records)
    limits = _limits(measured, found)
    sized = records.replicates.dropna(subset=["scored_accuracy"])
    return Section(
        id="accuracy",
        title=f"{wording.scored_accuracy(records)} against {layout.name}"
        if layout.name
        else wording.scored_accuracy(records),
        text=(_text(records, found, layout),),
        figures=(
            Figure(
                id="accuracy-figure",
                panels=(_panel(records, found, layout, limits),),
                caption=_caption(records, found, limits),
                legend=_legend(records, found, limits),
                data=selection.data(
                    sized,
                    "arm",
                    *selection.search_column(records),
                    "replicate",
                    "seed",
                    "scored_accuracy",
                    "scored_n",
                ),
            ),
        ),
        tables=(_table(records, found),),
    )


def _text(records: Records, found: Conclusions, layout: Layout) -> str:
    sizes = records.replicates["scored_n"].dropna()
    examples = f" of {int(sizes.max()):,} examples" if not sizes.empty else ""
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


def _limits(measured: list[ArmResult], found: Conclusions) -> tuple[float, float]:
    """The part of the accuracy axis to show: all dots, and intervals and baselines nearby."""
    values = [value for arm in measured for value in arm.values.values()]
    low, high = min(values), max(values)
    near = max(3 * (high - low), 0.05)
    for base in found.baselines.values():
        if base.mean is not None and low - near <= base.mean <= high + near:
            low, high = min(low, base.mean), max(high, base.mean)
    room = max(high - low, 0.01)
    ends = [arm.both for arm in measured if arm.both is not None and arm.n > 1]
    bottom = min([low - 0.15 * room, *(max(end.low - 0.02 * room, low - room) for end in ends)])
    top = max([high + 0.15 * room, *(min(end.high + 0.02 * room, high + room) for end in ends)])
    return max(bottom, -0.02), min(top, 1.02)


def _panel(
    records: Records, found: Conclusions, layout: Layout, limits: tuple[float, float]
) -> Panel:
    upright = layout.upright

    def draw(axes: Axes) -> None:
        for name, arm in found.arms.items():
            if arm.mean is None:
                continue
            style = chart.arm_style(records.arms, name)
            place = layout.positions[name]
            shift = 0.16 * layout.step
            offsets = scales.spread(len(arm.values), 0.2 * layout.step)
            at = [place - shift + offset for offset in offsets]
            heights = [100 * value for value in arm.values.values()]
            anchors = [wording.replicate_anchor(name, number, of) for of, number in arm.values]
            x, y = (at, heights) if upright else (heights, at)
            chart.mark(axes, x, y, style, "complete", anchors)
            chart.mean_mark(
                axes, place + shift / 2, 100 * arm.mean, chart.percents(arm.bar), style, upright
            )
        for name, base in found.baselines.items():
            if base.mean is not None and limits[0] <= base.mean <= limits[1]:
                _baseline(axes, name, base.mean, upright)
        if not layout.name:
            axes.set_xlim(-1, 1)
            axes.set_xticks([])
        axes_of(records, axes, layout, f"{wording.scored_accuracy(records)}, %")
        (axes.set_ylim if upright else axes.set_xlim)(100 * limits[0], 100 * limits[1])

    return chart.panel(
        "accuracy-test",
        _alt(records, found),
        draw,
        tooltips=selection.replicate_tooltips(records),
        height=layout.height,
    )


def _baseline(axes: Axes, name: str, mean: float, upright: bool) -> None:
    line = axes.axhline if upright else axes.axvline
    line(100 * mean, color=chart.INK, linewidth=1.2, zorder=2, linestyle=_DASHES.get(name, _DOTS))


def _caption(records: Records, found: Conclusions, limits: tuple[float, float]) -> str:
    several = any(arm.n > 1 for arm in found.arms.values())
    draws = wording.draws(records)
    bars = (
        f"Large marks are means; bars are their 95\u00a0% intervals, over {draws} and examples "
        "together. Each small dot is a replicate, one training."
        if several
        else "One replicate per arm, so there is no interval."
    )
    wide = any(
        arm.n > 1
        and arm.both is not None
        and (arm.both.low < limits[0] or arm.both.high > limits[1])
        for arm in found.arms.values()
    )
    cut = " Some bars are cut at the edge of the chart; the table has their ends." if wide else ""
    outside = [
        f"{found.called[name]} ({wording.percent(base.mean)})"
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
            dash = ".6 .3" if name in _DASHES else ".15 .25"
            label = f"{records.baselines[name]}, {wording.mean_percent(base.mean, base.both)}"
            keys.append(chart.line_key(label, chart.INK, dash))
    return tuple(keys)


def _alt(records: Records, found: Conclusions) -> str:
    results = [*found.arms.values(), *found.baselines.values()]
    listed = "; ".join(
        f"{wording.arm_label(records, r.name)} {wording.mean_percent(r.mean, r.both)}"
        + (f" (interval {wording.interval(r.both)})" if r.n > 1 else "")
        for r in results
        if r.mean is not None
    )
    best = max(found.arms.values(), key=lambda arm: -math.inf if arm.mean is None else arm.mean)
    first = wording.arm_label(records, best.name)
    end = f" The highest mean among arms is that of {first}." if len(records.arms) > 1 else ""
    metric = f"{records.scored_split} {wording.metric(records)}"
    return f"Dot chart of {metric}, replicates and their means: {listed}.{end}"


def _table(records: Records, found: Conclusions) -> Table:
    several, draws = wording.several_searches(records), wording.draws(records)
    rows = [
        _row(records, arm, "best" if found.recommended and name == found.recommended.arm else "")
        for name, arm in found.arms.items()
    ]
    rows += [_row(records, base, "baseline") for base in found.baselines.values()]
    return Table(
        id="test-accuracy",
        caption=f"{wording.scored_accuracy(records)} of arms and baselines, and what they cost"
        + ("; baselines are not searched, so their intervals are over seeds" if several else ""),
        columns=(
            Column("Arm"),
            *((Column("Searches", True),) if several else ()),
            Column("Replicates", True),
            Column("Failed", True),
            Column(wording.scored_accuracy(records), True, "%"),
            Column(f"95\u00a0% interval, {draws} and examples", True),
            Column(f"{draws.capitalize()} alone", True),
            Column("Lowest", True, "%"),
            Column("Highest", True, "%"),
            Column("Step", True, "ms"),
            Column("Training", True, "s"),
            Column("Parameters", True),
        ),
        rows=tuple(rows),
    )


def _row(records: Records, result: ArmResult, kind: str) -> Row:
    values, several = list(result.values.values()), wording.several_searches(records)
    return Row(
        (
            wording.arm_label(records, result.name),
            *((f"{result.searches}" if result.searches else wording.MISSING,) if several else ()),
            f"{result.n:,}",
            f"{result.failed:,}",
            cells.mean(result.mean, result.both),
            wording.interval(result.both),
            wording.interval(result.seeds),
            cells.percent(min(values, default=None)),
            cells.percent(max(values, default=None)),
            cells.milliseconds(result.step_ms),
            cells.seconds(result.train_s),
            cells.count(result.parameters),
        ),
        kind=kind,
    )
