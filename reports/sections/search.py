"""What the search tried: each searched hyperparameter against validation loss."""

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from harness.analysis import importance
from harness.results.records import Records
from reports import selection, wording
from reports.charts import arm_axis, chart, parallel, scales
from reports.content import Column, Figure, Panel, Row, Section, Table, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

ORDER = 50
_PREFIX = "params_"


def build(records: Records) -> Section | None:
    scored = records.trials[records.trials["state"].isin(["complete", "pruned"])]
    scored = scored.dropna(subset=["value"])
    names = selection.searched(records)
    coordinates = parallel.panel(records, scored, names)
    panels = _history(records, scored) + tuple(
        _panel(records, scored.dropna(subset=[_PREFIX + name]), name)
        for name in names
        if scored[_PREFIX + name].notna().any()
    )
    if coordinates is not None:
        panels = (*panels, coordinates)
    if not names or not panels:
        return None
    keys = [*arm_axis.keys(records, records.arms)] if len(records.arms) > 1 else []
    if (scored["state"] == "pruned").any():
        style = chart.arm_style(records.arms, records.arms[0])
        keys.append(chart.marker_key("pruned", style, "pruned"))
    return Section(
        id="search",
        title="What the search tried",
        text=(
            "Validation loss (lower is better) against each searched hyperparameter. The sampler "
            "tries promising values more often, so dots are dense where it expected low losses. A "
            "value may do well because of the trial's other hyperparameters.",
            *_too_few(records),
        ),
        figures=(
            Figure(
                id="search-figure",
                panels=panels,
                caption=f"Dark outline: {_best(records)}. Hollow: pruned, at its best epoch so "
                "far. What was searched on a logarithmic scale is shown on one."
                + (parallel.CAPTION if coordinates else ""),
                legend=tuple(keys),
                data=selection.data(
                    scored,
                    "arm",
                    *selection.search_column(records),
                    "trial",
                    "state",
                    "value",
                    *(_PREFIX + name for name in names),
                ),
            ),
        ),
        tables=_importance(importance.importances(records)),
    )


def _importance(found: "Mapping[str, importance.Importance]") -> tuple[Table, ...]:
    if not found:
        return ()
    clear = [wording.label(name) for name, each in found.items() if each.clear]
    said = (
        f"clearly more than noise: {wording.listing(clear)}"
        if clear
        else "none of them is clearly more than noise, so do not rely on their order"
    )
    return (
        Table(
            id="importance",
            caption="Importance of what was searched, by PED-ANOVA as in Optuna: how much the "
            "values of the best trials within each arm differ from those of all, as a share of the "
            f"sum; {said}. With shuffled losses, in 95 % of the cases none is above its "
            "“by chance”",
            columns=(
                Column("Hyperparameter"),
                Column("Importance", True),
                Column("By chance, up to", True),
                Column("More than noise"),
            ),
            rows=tuple(
                Row(
                    (
                        wording.label(name),
                        Value(f"{each.share:.2f}", each.share),
                        Value(f"{each.by_chance:.2f}", each.by_chance),
                        "yes" if each.clear else "not shown",
                    )
                )
                for name, each in found.items()
            ),
        ),
    )


def _too_few(records: Records) -> tuple[str, ...]:
    number = len(importance.finished_trials(records))
    if number >= importance.MIN_TRIALS:
        return ()
    return (
        f"Too few trials to say how important each hyperparameter is: {number}; that needs at "
        f"least {importance.MIN_TRIALS} finished trials.",
    )


def _best(records: Records) -> str:
    """What has a dark outline."""
    several = wording.several_searches(records)
    return "the best trial of each search" if several else "the best trial"


def _history(records: Records, scored: "pd.DataFrame") -> tuple[Panel, ...]:
    """Each search's lowest loss so far, by trial."""
    finished = scored[scored["state"] == "complete"].sort_values(list(selection.KEYS))
    if finished.empty:
        return ()

    def draw(axes: Axes) -> None:
        for arm in records.arms:
            style = chart.arm_style(records.arms, arm)
            for _, ours in selection.of_arm(finished, arm).groupby("search"):
                lower = ours["value"].cummin().diff().fillna(-1) < 0
                ours = ours[lower | (ours.index == ours.index[-1])]
                axes.step(
                    ours["trial"].astype(float).to_list(),
                    ours["value"].cummin().to_list(),
                    where="post",
                    color=style.colour,
                    linewidth=1.6,
                    marker=style.marker,
                    markersize=4,
                )
        scales.whole(axes, "x")
        scales.linear(axes, "y")
        axes.set_xlabel("Trial, in the order of the search")
        axes.set_title("Lowest validation loss so far")

    last = "; ".join(
        f"{wording.arm_label(records, arm)} {wording.loss(best['value'])}, reached by "
        f"{wording.training_label(records, 'trial', best['trial'], best['search'])}"
        for arm in records.arms
        if (best := selection.best_of(records, arm)) is not None
    )
    line = ", a line for each search" if wording.several_searches(records) else ""
    alt = f"Step chart of the lowest validation loss so far, by trial{line}. In the end: {last}."
    return (chart.panel("search-history", alt, draw, height=250),)


def _panel(records: Records, scored: "pd.DataFrame", name: str) -> Panel:
    values = scored[_PREFIX + name]
    choices = selection.choices(records, name, values)
    label = wording.label(name).capitalize()

    def draw(axes: Axes) -> None:
        numbers = [] if choices else values.astype(float).to_list()
        for arm in records.arms:
            ours = selection.of_arm(scored, arm)
            at = _positions(ours[_PREFIX + name], choices, records.arms.index(arm))
            best = selection.is_best(records, ours)
            masks: dict[chart.Look, Any] = {
                "pruned": ours["state"] == "pruned",
                "complete": (ours["state"] == "complete") & ~best,
                "best": best,
            }
            for look, mask in masks.items():
                chart.mark(
                    axes,
                    [x for x, keep in zip(at, mask, strict=True) if keep],
                    ours.loc[mask, "value"].to_list(),
                    chart.arm_style(records.arms, arm),
                    look,
                    selection.anchors(ours[mask]),
                )
        if choices:
            scales.categories(axes, "x", [wording.shorten(c, 14) for c in choices])
            axes.grid(visible=False, axis="x")
        elif selection.is_logarithmic(records, name, numbers):
            scales.logarithmic(axes, "x", numbers)
        else:
            scales.linear(axes, "x")
        scales.linear(axes, "y")
        axes.set_xlabel(wording.shorten(label, 40))
        axes.set_title("Validation loss")

    return chart.panel(
        f"search-{_id_part(name)}",
        _alt(scored, name, choices),
        draw,
        height=250,
    )


def _id_part(name: str) -> str:
    """A hyperparameter's name as a part of an id."""
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in name)


def _positions(values: "pd.Series[Any]", choices: list[str], arm: int) -> list[float]:
    if not choices:
        return values.astype(float).to_list()
    offsets = scales.spread(len(values) + arm, 0.5)[arm:]
    return [
        choices.index(wording.value_text(value)) + offset
        for value, offset in zip(values, offsets, strict=True)
    ]


def _alt(scored: "pd.DataFrame", name: str, choices: list[str]) -> str:
    values, what = scored[_PREFIX + name], wording.label(name)
    start = (
        f"Scatter chart of validation loss against {what}, {wording.counted(len(scored), 'trial')}"
    )
    if choices:
        best = scored["value"].groupby(values.map(wording.value_text)).min()
        listed = ", ".join(f"{wording.loss(best[choice])} with {choice}" for choice in choices)
        return f"{start}. The lowest loss: {listed}."
    low, high = wording.value_text(values.min()), wording.value_text(values.max())
    best_value = wording.value_text(values.iloc[int(scored["value"].argmin())])
    trend = selection.trend(values, scored["value"], "the loss", what)
    return f"{start}, from {low} to {high}; the lowest loss is at {best_value}; {trend}."
