"""Scores against cost, with the Pareto front."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from harness.analysis.conclusions import ArmResult
from harness.analysis.pareto import pareto_front
from harness.analysis.verdicts import conclude
from harness.results.records import Records
from reports import selection, wording
from reports.charts import arm_axis, chart, scales
from reports.content import Data, Figure, Key, Panel, Section

if TYPE_CHECKING:
    import pandas as pd

ORDER = 40


@dataclass(frozen=True)
class _Cost:
    """A cost: a column of trials and an attribute of ArmResult; `ticks` are round values."""

    column: str
    label: str
    text: Callable[[float], str]
    tick: Callable[[float], str]
    ticks: tuple[float, ...] = ()


COSTS = (
    _Cost("step_ms", "Step time", wording.milliseconds, "{:g} ms".format),
    _Cost("train_s", "Training time", wording.seconds, wording.seconds, scales.DURATIONS_S),
    _Cost("parameters", "Parameters", wording.count, wording.short_count),
)


def build(records: Records) -> Section | None:
    found = [figure for figure in (_arms(records), _trials(records)) if figure is not None]
    if not found:
        return None
    return Section(
        id="cost",
        title=f"{wording.capital(wording.scored(records))} against cost",
        text=(
            f"A result is on the Pareto front if all cheaper ones have a {records.metric.worse} "
            f"{wording.scored(records)}.{_arm_front(records)} Costs were measured on the machine "
            "named at the end of this page.",
        ),
        figures=tuple(found),
    )


def _arm_front(records: Records) -> str:
    found = conclude(records)
    if len(found.front) == 0 or len(records.arms) == 1:
        return ""
    labels = wording.listing([wording.arm_label(records, arm) for arm in found.front])
    metric = f"{records.scored_split} {wording.scored(records)}"
    return f" By mean {metric} and step time, the front is {labels}."


def _keys(records: Records) -> tuple[Key, ...]:
    if len(records.arms) == 1:
        return ()
    return arm_axis.keys(records, records.arms)


def _arms(records: Records) -> Figure | None:
    """Arms by their replicates; None for a study of one arm."""
    found = conclude(records)
    results = [arm for arm in found.arms.values() if arm.mean is not None]
    if len(results) < 2:
        return None
    panels = []
    for cost in COSTS:
        usable = [arm for arm in results if (getattr(arm, cost.column) or 0) > 0]
        if usable:
            panels.append(_arm_panel(records, usable, cost))
    if not panels:
        return None
    bars = any(arm.bar is not None for arm in results)
    return Figure(
        id="cost-arms-figure",
        panels=tuple(panels),
        caption=f"Arms: mean {records.scored_split} {wording.scored(records)} of the replicates"
        + (", with 95\u00a0% intervals that the chart may cut" if bars else "")
        + "; costs are medians, on logarithmic scales.",
        legend=(*_keys(records), chart.line_key("Pareto front", chart.INK)),
        data=Data(
            ("arm", "scored_accuracy", "low", "high", "step_ms", "train_s", "parameters"),
            tuple(
                (
                    arm.name,
                    arm.mean,
                    *((None, None) if arm.bar is None else arm.bar),
                    arm.step_ms,
                    arm.train_s,
                    arm.parameters,
                )
                for arm in results
            ),
        ),
    )


def _arm_panel(records: Records, results: list[ArmResult], cost: _Cost) -> Panel:
    costs = [float(getattr(arm, cost.column)) for arm in results]
    metric = records.metric
    means = [metric.factor * (arm.mean or 0.0) for arm in results]
    front = pareto_front(costs, [metric.sign * mean for mean in means])

    def draw(axes: Axes) -> None:
        _step(axes, [costs[i] for i in front], [means[i] for i in front], max(costs))
        for arm, at, mean in zip(results, costs, means, strict=True):
            style = chart.arm_style(records.arms, arm.name)
            chart.mean_mark(axes, at, mean, chart.ends(metric, arm.bar), style, upright=True)
        _cost_axes(axes, costs, cost, metric.axis(wording.scored_metric(records)))
        least = metric.factor * chart.room(metric, [arm.mean or 0.0 for arm in results])
        room = max(max(means) - min(means), least)
        axes.set_ylim(min(means) - room, max(means) + room)

    listed = "; ".join(
        f"{wording.arm_label(records, arm.name)} "
        f"{wording.mean_score(metric, arm.mean, arm.both)} for "
        f"{cost.text(at)}{', on the Pareto front' if i in front else ''}"
        for i, (arm, at) in enumerate(zip(results, costs, strict=True))
    )
    return chart.panel(
        f"cost-arms-{cost.column.replace('_', '-')}",
        f"Scatter chart of the arms' {records.scored_split} {wording.scored(records)} against "
        f"{cost.label.lower()}: {listed}.",
        draw,
    )


def _trials(records: Records) -> Figure | None:
    """Finished trials by their validation score."""
    sign = records.validation_metric.sign
    panels = []
    fronts = []
    for cost in COSTS:
        trials = selection.in_state(
            records, "complete", needs=("value", "val_accuracy", cost.column)
        )
        trials = trials[trials[cost.column] > 0].reset_index(drop=True)
        if trials.empty:
            continue
        costs = trials[cost.column].astype(float)
        front = trials.loc[pareto_front(costs, sign * trials["val_accuracy"])]
        fronts.append(f"{len(front)} of {len(trials)} by {cost.label.lower()}")
        panels.append(_trial_panel(records, trials, front, cost))
    if not panels:
        return None
    shown = selection.in_state(records, "complete", needs=("value", "val_accuracy"))
    columns = [cost.column for cost in COSTS]
    return Figure(
        id="cost-trials-figure",
        panels=tuple(panels),
        caption=f"Finished trials of the search, by validation {wording.metric(records)}. On the "
        f"front: {', '.join(fronts)}. Training time includes validation and compiling.",
        legend=(*_keys(records), chart.line_key("Pareto front", chart.INK)),
        data=selection.data(
            shown, "arm", *selection.search_column(records), "trial", "val_accuracy", *columns
        ),
    )


def _step(axes: Axes, costs: list[float], heights: list[float], highest: float) -> None:
    """The front as a line of steps, up to the highest cost."""
    axes.step(
        [*costs, highest],
        [*heights, heights[-1]],
        where="post",
        color=chart.INK,
        linewidth=1.2,
        zorder=2.2,
    )


def _cost_axes(axes: Axes, costs: list[float], cost: _Cost, title: str) -> None:
    scales.logarithmic(axes, "x", costs, cost.tick, cost.ticks)
    scales.linear(axes, "y")
    axes.set_xlabel(cost.label)
    axes.set_title(title)


def _trial_panel(
    records: Records, trials: "pd.DataFrame", front: "pd.DataFrame", cost: _Cost
) -> Panel:
    column, metric = cost.column, records.validation_metric

    def draw(axes: Axes) -> None:
        costs = trials[column].astype(float).to_list()
        heights = (metric.factor * front["val_accuracy"]).to_list()
        _step(axes, front[column].astype(float).to_list(), heights, max(costs))
        for arm in records.arms:
            ours = selection.of_arm(trials, arm)
            best = selection.is_best(records, ours)
            for look, chosen in (("complete", ours[~best]), ("best", ours[best])):
                chart.mark(
                    axes,
                    chosen[column].astype(float).to_list(),
                    (metric.factor * chosen["val_accuracy"]).to_list(),
                    chart.arm_style(records.arms, arm),
                    "best" if look == "best" else "complete",
                    selection.anchors(chosen),
                )
        _cost_axes(axes, costs, cost, metric.axis(f"Validation {metric.name}"))

    size = wording.validation_size(records)
    cheapest, best = front.iloc[0], front.iloc[-1]
    first, last = (wording.score(metric, end["val_accuracy"], size) for end in (cheapest, best))
    if len(front) > 1:
        extent = (
            f"the Pareto front runs from {first} for {cost.text(cheapest[column])} to {last} for "
            f"{cost.text(best[column])}"
        )
    else:
        extent = f"the cheapest trial is also the best, {first} for {cost.text(cheapest[column])}"
    against = cost.label.lower()
    trend = selection.trend(trials[column], trials["val_accuracy"], metric.name, against)
    return chart.panel(
        f"cost-{column.replace('_', '-')}",
        f"Scatter chart of validation {metric.name} against {against}: {extent}; {trend}.",
        draw,
    )
