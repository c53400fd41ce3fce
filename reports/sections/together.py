"""Two compared hyperparameters together: main effects, and whether they depend on one another."""

from typing import Any

from matplotlib.axes import Axes

from harness.analysis.conclusions import Conclusions
from harness.analysis.factors import Change, Effect, Grid, effects_of, grid_of
from harness.analysis.labels import interval_text
from harness.analysis.verdicts import conclude
from harness.results.records import Records
from reports import basis, cells, wording
from reports.charts import chart, scales
from reports.content import Column, Data, Figure, Key, Panel, Row, Section, Table, Value

ORDER = 32


def build(records: Records) -> Section | None:
    """None unless the study compares all combinations of two hyperparameters."""
    grid, effects = grid_of(records), effects_of(records)
    if grid is None or not effects:
        return None
    found = conclude(records)
    names = [wording.label(name) for name in grid.names]
    return Section(
        id="together",
        title=f"{wording.capital(names[0])} and {names[1]} together",
        notices=basis.caution(records),
        text=(_text(records, found, grid, effects),),
        figures=(_figure(records, found, grid),),
        tables=(_effects_table(found, effects), _means_table(records, found, grid)),
    )


def _text(records: Records, found: Conclusions, grid: Grid, effects: list[Effect]) -> str:
    first, second = (wording.label(name) for name in grid.names)
    start = (
        f"A main effect is what one value of {first} or {second} changes, the mean over all values "
        "of the other. An interaction is how much that change depends on the other."
    )
    if not effects[0].estimate.known:
        return f"{start} With one {basis.unit(records)} of each arm there are no intervals."
    joint = [each for each in effects if each.interaction]
    clear = [each for each in joint if each.interval.low > 0 or each.interval.high < 0]
    if clear:
        of = wording.counted(len(joint), "interaction")
        told = (
            f"The two depend on one another: of {of}, {len(clear)} with an interval without 0. So "
            "read the arms one by one."
        )
    else:
        widest = max(joint, key=lambda each: each.interval.high - each.interval.low)
        told = (
            "No interaction is shown: every interval contains 0, the widest being "
            f"{_interval(found, widest)}. A true one within it may remain unseen."
        )
    return (
        f"{start} {told} Intervals and p values are corrected by Holm's method for all "
        f"{len(effects)} effects together."
    )


def _interval(found: Conclusions, effect: Effect) -> str:
    text = interval_text(effect.interval, found.metric)
    return found.metric.with_unit(text, wording.NBSP) if effect.estimate.known else text


def _value(change: Change) -> str:
    return (
        f"{wording.label(change.name)} {wording.value_text(change.value)} instead of "
        f"{wording.value_text(change.instead)}"
    )


def _name(effect: Effect) -> str:
    """`depth 2 instead of 1`; `depth 2 instead of 1, with cell gru rather than lstm`."""
    first, *rest = effect.changes
    text = _value(first)
    for change in rest:
        text += (
            f", with {wording.label(change.name)} {wording.value_text(change.value)} rather than "
            f"{wording.value_text(change.instead)}"
        )
    return text


def _effects_table(found: Conclusions, effects: list[Effect]) -> Table:
    metric = found.metric
    rows = []
    for each in effects:
        known = each.estimate.known
        rows.append(
            Row(
                (
                    _name(each),
                    Value(metric.signed(each.estimate.mean), metric.factor * each.estimate.mean),
                    interval_text(each.interval, metric).strip("[]").replace(", ", " to ")
                    if known
                    else wording.MISSING,
                    Value(wording.p_value(each.p), each.p) if known else wording.MISSING,
                    "interaction" if each.interaction else "main effect",
                )
            )
        )
    return Table(
        id="effects",
        caption="Main effects and interactions"
        + ("" if metric.higher_is_better else "; of errors the lower one is better"),
        columns=(
            Column("Effect"),
            Column(f"Difference{metric.in_unit}", True, metric.difference_unit),
            Column("95\u00a0% interval", True),
            Column("p", True),
            Column("Kind"),
        ),
        rows=tuple(rows),
    )


def _means_table(records: Records, found: Conclusions, grid: Grid) -> Table:
    """The arms' means: rows are values of the first hyperparameter, columns of the second."""
    first, second = grid.names
    metric = found.metric
    rows = []
    for value in grid.values[0]:
        arms = [found.arms[grid.arms[value, other]] for other in grid.values[1]]
        rows.append(
            Row(
                (
                    f"{wording.label(first)} {wording.value_text(value)}",
                    *(cells.mean(metric, arm.comparable, arm.both) for arm in arms),
                )
            )
        )
    return Table(
        id="means-together",
        caption=f"{wording.scored_metric(records)}, means of the arms",
        columns=(
            Column(wording.capital(wording.label(first))),
            *(
                Column(f"{wording.label(second)} {wording.value_text(value)}", True, metric.unit)
                for value in grid.values[1]
            ),
        ),
        rows=tuple(rows),
    )


def _figure(records: Records, found: Conclusions, grid: Grid) -> Figure:
    return Figure(
        id="together-figure",
        panels=(_panel(records, found, grid),),
        caption="A line for each value of the second hyperparameter. Parallel lines: no "
        f"interaction. Bars are 95\u00a0% intervals of the means, over {wording.draws(records)} "
        f"and {wording.examples(records)} together; they do not say whether lines differ, the "
        "table does.",
        data=Data(
            (*grid.names, "mean", "low", "high"),
            tuple(
                (
                    wording.value_text(cell[0]),
                    wording.value_text(cell[1]),
                    arm.comparable,
                    *((arm.bar.low, arm.bar.high) if arm.bar is not None else (None, None)),
                )
                for cell, name in grid.arms.items()
                if (arm := found.arms[name]).comparable is not None
            ),
        ),
        legend=_legend(grid),
    )


def _styles(grid: Grid) -> dict[Any, chart.Style]:
    names = [wording.value_text(value) for value in grid.values[1]]
    return {value: chart.arm_style(names, wording.value_text(value)) for value in grid.values[1]}


def _legend(grid: Grid) -> tuple[Key, ...]:
    label = wording.label(grid.names[1])
    return tuple(
        chart.marker_key(f"{label} {wording.value_text(value)}", style, "complete")
        for value, style in _styles(grid).items()
    )


def _panel(records: Records, found: Conclusions, grid: Grid) -> Panel:
    metric, (first, second) = found.metric, grid.values
    styles = _styles(grid)

    def draw(axes: Axes) -> None:
        for place, value in enumerate(second):
            shift = 0.08 * (place - (len(second) - 1) / 2)
            arms = [found.arms[grid.arms[each, value]] for each in first]
            at = [i + shift for i, arm in enumerate(arms) if arm.comparable is not None]
            means = [arm.comparable for arm in arms if arm.comparable is not None]
            colour = styles[value].colour
            axes.plot(at, [metric.factor * mean for mean in means], color=colour, linewidth=1.4)
            for x, arm in zip(at, [a for a in arms if a.comparable is not None], strict=True):
                chart.mean_mark(
                    axes, x, metric.factor * (arm.comparable or 0.0),
                    chart.ends(metric, arm.bar), styles[value], True,
                )  # fmt: skip
        texts = [wording.shorten(wording.value_text(value), 16) for value in first]
        scales.categories(axes, "x", texts)
        axes.grid(visible=False, axis="x")
        scales.linear(axes, "y")
        axes.set_xlabel(wording.shorten(wording.capital(wording.label(grid.names[0])), 40))
        axes.set_title(metric.axis(wording.scored_metric(records)))

    listed = "; ".join(
        f"{wording.arm_label(records, name)} "
        f"{wording.mean_score(metric, found.arms[name].comparable, found.arms[name].both)}"
        for name in grid.arms.values()
    )
    alt = f"Line chart of the means of all combinations of two hyperparameters: {listed}."
    return chart.panel("together", alt, draw)
