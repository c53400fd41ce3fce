"""Accuracy against what it costs, with the Pareto front: nothing cheaper was as accurate."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from harness.runs import Records
from reports import figures, scales, selection, wording
from reports.content import Figure, Panel, Section

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

ORDER = 30


def build(records: Records) -> Section | None:
    panels = []
    fronts = []
    for cost, label, text, tick in (
        ("train_s", "Training time", wording.seconds, wording.seconds),
        ("parameters", "Parameters", wording.count, wording.short_count),
    ):
        trials = selection.in_state(records, "complete", needs=("value", "val_accuracy", cost))
        trials = trials[trials[cost] > 0]
        if trials.empty:
            continue
        front = pareto(trials, cost)
        fronts.append(f"{len(front)} of {len(trials)} by {label.lower()}")
        panels.append(_panel(records, trials, front, cost, label, text, tick))
    if not panels:
        return None
    keys = [
        figures.marker_key(
            wording.shorten(wording.arm_label(records, arm)),
            figures.arm_style(records.arms, arm),
            "complete",
        )
        for arm in records.arms
        if len(records.arms) > 1
    ]
    return Section(
        id="cost",
        title="Accuracy against cost",
        text=(
            "A trial is on the Pareto front when no cheaper one was as accurate; above the line "
            f"nothing was found. On the front: {', '.join(fronts)}.",
        ),
        figures=(
            Figure(
                id="cost-figure",
                panels=tuple(panels),
                caption="Finished trials; both costs on logarithmic scales. Training time is of "
                "training, validation and compiling, on the machine named at the end of this page.",
                legend=(*keys, figures.line_key("Pareto front", figures.INK)),
            ),
        ),
    )


def pareto(trials: "pd.DataFrame", cost: str) -> "pd.DataFrame":
    """Trials that no other one beats at the same cost or less, cheapest first."""
    ordered = trials.sort_values([cost, "val_accuracy"], ascending=[True, False], kind="stable")
    record = ordered["val_accuracy"].cummax()
    return ordered[ordered["val_accuracy"] > record.shift(fill_value=-1.0)]


def _panel(
    records: Records,
    trials: "pd.DataFrame",
    front: "pd.DataFrame",
    cost: str,
    label: str,
    text: "Callable[[float], str]",
    tick: "Callable[[float], str]",
) -> Panel:
    def draw(axes: Axes) -> None:
        costs = trials[cost].astype(float).to_list()
        steps = front[cost].astype(float).to_list()
        heights = (100 * front["val_accuracy"]).to_list()
        # On to the dearest trial: paying more bought no more.
        axes.step(
            [*steps, max(costs)],
            [*heights, heights[-1]],
            where="post",
            color=figures.INK,
            linewidth=1.2,
            zorder=2.2,
        )
        for arm in records.arms:
            ours = selection.of_arm(trials, arm)
            best = selection.is_best(records, ours)
            for look, chosen in (("complete", ours[~best]), ("best", ours[best])):
                figures.mark(
                    axes,
                    chosen[cost].astype(float).to_list(),
                    (100 * chosen["val_accuracy"]).to_list(),
                    figures.arm_style(records.arms, arm),
                    "best" if look == "best" else "complete",
                    selection.anchors(chosen),
                )
        durations = scales.DURATIONS_S if cost == "train_s" else ()
        scales.logarithmic(axes, "x", costs, tick, durations)
        scales.linear(axes, "y")
        axes.set_xlabel(label)
        axes.set_title("Validation accuracy, %")

    size = wording.validation_size(records)
    cheap, dear = front.iloc[0], front.iloc[-1]
    if len(front) > 1:
        extent = (
            f"the Pareto front runs from {wording.percent(cheap['val_accuracy'], size)} for "
            f"{text(cheap[cost])} to {wording.percent(dear['val_accuracy'], size)} for "
            f"{text(dear[cost])}"
        )
    else:
        extent = (
            f"the cheapest trial is the most accurate too, "
            f"{wording.percent(cheap['val_accuracy'], size)} for {text(cheap[cost])}"
        )
    against = label.lower()
    trend = selection.trend(trials[cost], trials["val_accuracy"], "accuracy", against)
    return figures.panel(
        f"cost-{cost.replace('_', '-')}",
        f"Scatter chart of validation accuracy against {against}: {extent}; {trend}.",
        draw,
        tooltips=selection.tooltips(records),
    )
