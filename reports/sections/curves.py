"""Learning curves: validation loss by epoch, one panel per arm, pruned trials included."""

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from harness.results.records import Records
from reports import selection, wording
from reports.charts import chart, scales
from reports.content import Data, Figure, Panel, Section

if TYPE_CHECKING:
    import pandas as pd

ORDER = 55
# Of more, only the best are drawn: too many lines are hard to read and make the page large.
MAX_CURVES = 30
_DASHES: dict[str, Any] = {
    "complete": "-",
    "pruned": (0, (4, 3)),
    "failed": (0, (1, 2)),
    "running": "-.",
}


def build(records: Records) -> Section | None:
    epochs = records.epochs.dropna(subset=["epoch", "val_loss"])
    arms = [arm for arm in records.arms if (epochs["arm"] == arm).any()]
    if not arms:
        return None
    limits = _limits(records, epochs)
    drawn = records.trials.merge(epochs[list(selection.KEYS)].drop_duplicates())["state"]
    keys = [chart.line_key("finished", chart.MUTED)]
    if records.epochs["loss"].notna().any():
        keys.append(chart.line_key("training loss of the best", chart.INK, ".15 .25"))
    style = chart.arm_style(records.arms, records.arms[0])
    if not records.replicate_epochs.empty:
        keys.append(chart.line_key("replicate", style.colour))
    for state, label, dash in (
        ("pruned", "pruned", ".4 .3"),
        ("failed", "failed", ".15 .25"),
        ("running", "running", ".5 .2 .1 .2"),
    ):
        if (drawn == state).any():
            keys.append(chart.line_key(label, chart.MUTED, dash))
    trial = "the best finished trial" + (
        " of each search"
        if wording.several_searches(records)
        else " of each arm"
        if len(records.arms) > 1
        else ""
    )
    most = epochs.drop_duplicates(list(selection.KEYS)).groupby("arm").size().max()
    fewer = (
        f" Of each arm's trials the {MAX_CURVES} with the lowest losses are drawn."
        if most > MAX_CURVES
        else ""
    )
    return Section(
        id="curves",
        title="Learning curves",
        text=(
            "Validation loss after each epoch, on one scale. Where a curve turns up, the network "
            "overfits. Its score is that of its lowest point. Training loss (dotted) is measured "
            "with dropout, while the weights still change, so it may lie above.",
        ),
        figures=(
            Figure(
                id="curves-figure",
                panels=tuple(_panel(records, epochs, arm, limits) for arm in arms),
                caption=f"In colour: {trial} (thick line) and its replicates (thin lines).{fewer}"
                if not records.replicate_epochs.empty
                else f"In colour: {trial}.{fewer}",
                legend=tuple(keys),
                data=_data(records, epochs),
            ),
        ),
    )


def _data(records: Records, epochs: "pd.DataFrame") -> Data:
    """Epochs of the trials that are drawn, then epochs of replicates."""
    drawn = []
    for arm in records.arms:
        ours = selection.of_arm(epochs, arm)
        kept = _lowest(ours).index[:MAX_CURVES].to_frame(index=False)
        drawn.append(ours.merge(kept))
    rows: list[tuple[str | int | float | None, ...]] = []
    of_search = selection.search_column(records)
    for ours in drawn:
        found = selection.data(ours, "arm", *of_search, "trial", "epoch", "val_loss", "loss")
        rows += [(arm, "trial", *rest) for arm, *rest in found.rows]
    again = _replicate_epochs(records)
    found = selection.data(again, "arm", *of_search, "replicate", "epoch", "val_loss", "loss")
    rows += [(arm, "replicate", *rest) for arm, *rest in found.rows]
    columns = ("arm", "training", *of_search, "number", "epoch", "val_loss", "training_loss")
    return Data(columns, tuple(rows))


def _lowest(epochs: "pd.DataFrame") -> "pd.Series[float]":
    """An arm's lowest losses by search and trial, the best trial first."""
    lowest = epochs.groupby(["search", "trial"])["val_loss"].min()
    return lowest.sort_values(kind="stable")


def _replicate_epochs(records: Records) -> "pd.DataFrame":
    table = records.replicate_epochs.dropna(subset=["epoch", "val_loss"])
    return table[table["arm"].isin(records.arms)]


def _limits(records: Records, epochs: "pd.DataFrame") -> tuple[float, float, float]:
    """The last epoch, the lowest and the highest loss, for all panels."""
    best = records.trials[selection.is_best(records, records.trials)][list(selection.KEYS)]
    trained = epochs.merge(best)["loss"].dropna()
    again = _replicate_epochs(records)
    losses = [*epochs["val_loss"], *again["val_loss"], *trained]
    low, high = float(min(losses)), float(max(losses))
    margin = 0.05 * (high - low) or 0.05
    longest = max(table["epoch"].max() for table in (epochs, again) if len(table))
    return float(longest), low - margin, high + margin


def _panel(
    records: Records, epochs: "pd.DataFrame", arm: str, limits: tuple[float, float, float]
) -> Panel:
    ours = selection.of_arm(epochs, arm)
    trials = selection.of_arm(records.trials, arm)
    numbers = zip(trials["search"], trials["trial"], strict=True)
    states = dict(zip(numbers, trials["state"], strict=True))
    best = selection.best_of(records, arm)
    winners = trials[selection.is_best(records, trials)]
    chosen = set(zip(winners["search"], winners["trial"], strict=True))
    style = chart.arm_style(records.arms, arm)

    def draw(axes: Axes) -> None:
        for search, trial in reversed(_lowest(ours).index[:MAX_CURVES]):
            curve = _curve(ours, search, trial)
            special = (search, trial) in chosen
            # A curve of one epoch would be invisible as a line.
            dots = special or len(curve) == 1
            if special:
                _training_loss(axes, curve)
            (line,) = axes.plot(
                curve["epoch"].astype(float).to_list(),
                curve["val_loss"].to_list(),
                color=style.colour if special else chart.MUTED,
                linestyle=_DASHES.get(states.get((search, trial), "running"), "-"),
                linewidth=2.6 if special else 1.0,
                alpha=1.0 if special else 0.6,
                marker=style.marker if dots else None,
                markersize=6 if special else 3,
                zorder=3 if special else 2,
            )
            line.set_url(f"#{wording.trial_anchor(arm, trial, search)}")
        replicates = selection.of_arm(_replicate_epochs(records), arm)
        for (search, number), again in replicates.groupby(["search", "replicate"]):
            curve = again.sort_values("epoch")
            (line,) = axes.plot(
                curve["epoch"].astype(float).to_list(),
                curve["val_loss"].to_list(),
                color=style.colour,
                linewidth=1.2,
                alpha=0.75,
                marker="." if len(curve) == 1 else None,
                zorder=2.5,
            )
            line.set_url(f"#{wording.replicate_anchor(arm, number, search)}")
        last, low, high = limits
        axes.set_xlim(0.75, last + 0.25)
        axes.set_ylim(low, high)
        scales.whole(axes, "x")
        scales.linear(axes, "y")
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("Epoch")
        name = wording.shorten(wording.arm_label(records, arm), 34)
        axes.set_title(f"Validation loss{f', {name}' if len(records.arms) > 1 else ''}")

    return chart.panel(
        f"curves-{records.arms.index(arm)}",
        _alt(records, arm, ours, best),
        draw,
        tooltips=selection.replicate_tooltips(records),
        height=250,
    )


def _training_loss(axes: Axes, curve: "pd.DataFrame") -> None:
    """A dotted line, where the training loss is on file."""
    known = curve.dropna(subset=["loss"])
    axes.plot(
        known["epoch"].astype(float).to_list(), known["loss"].to_list(), color=chart.INK,
        linestyle=(0, (1, 2)), linewidth=1.4, zorder=2.8,
        marker="." if len(known) == 1 else None,
    )  # fmt: skip


def _curve(epochs: "pd.DataFrame", search: Any, trial: Any) -> "pd.DataFrame":
    of_trial = (epochs["search"] == search) & (epochs["trial"] == trial)
    ours: pd.DataFrame = epochs[of_trial].sort_values("epoch")
    return ours


def _alt(records: Records, arm: str, ours: "pd.DataFrame", best: "pd.Series[Any] | None") -> str:
    label = wording.arm_label(records, arm)
    count = wording.counted(len(_lowest(ours)), "trial")
    low, high = wording.loss(ours["val_loss"].min()), wording.loss(ours["val_loss"].max())
    start = f"Line chart of validation loss by epoch, {label}: {count} between {low} and {high}"
    curve = None if best is None else _curve(ours, best["search"], best["trial"])
    if curve is None or curve.empty:
        return f"{start}; none finished."
    losses = curve["val_loss"].to_list()
    lowest = min(losses)
    after = curve["epoch"].to_list()[losses.index(lowest)]
    ended = (
        f", and ends at {wording.loss(losses[-1])} after epoch {curve['epoch'].iloc[-1]}"
        if losses[-1] > lowest
        else ""
    )
    return (
        f"{start}. The best goes from {wording.loss(losses[0])} to its lowest, "
        f"{wording.loss(lowest)}, at epoch {after}{ended}."
    )
