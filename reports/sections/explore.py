"""Trials to explore: axes to choose (by the page's script), EDF, rank plot, timeline."""

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes

from harness.results.records import Records
from reports import selection, wording
from reports.charts import arm_axis, chart, lanes, scales
from reports.content import Data, Figure, Key, Panel, Section

if TYPE_CHECKING:
    import pandas as pd

ORDER = 54
_PREFIX = "params_"


def build(records: Records) -> Section | None:
    finished = records.trials[records.trials["state"] == "complete"].dropna(subset=["value"])
    finished = finished[np.isfinite(finished["value"].astype(float))]
    if len(finished) < 2:
        return None
    names = [
        name for name in selection.searched(records) if finished[_PREFIX + name].notna().all()
    ][:2]
    figures = [_edf_figure(records, finished)]
    if len(names) == 2:
        figures.append(_rank_figure(records, finished, names))
    trials = lanes.timed(records)
    timeline = lanes.panel(records, trials)
    if timeline is not None:
        figures.append(_timeline_figure(records, trials, timeline))
    return Section(
        id="explore",
        title="Explore the trials",
        text=(
            "A mark of a trial leads to its row. In a browser with JavaScript, choose axes here, "
            "drag over marks to select trials, or hold Ctrl or Shift and click on a mark in any "
            "chart: the same trials are then highlighted in all charts and in the table.",
        ),
        figures=tuple(figures),
    )


def _edf_figure(records: Records, finished: "pd.DataFrame") -> Figure:
    """Optuna's EDF plot: the empirical distribution function of the objective."""
    steps = {
        arm: np.sort(ours["value"].to_numpy(float))
        for arm in records.arms
        if len(ours := selection.of_arm(finished, arm))
    }

    def draw(axes: Axes) -> None:
        for arm, losses in steps.items():
            shares = np.arange(1, len(losses) + 1) / len(losses)
            axes.step(
                [losses[0], *losses], [0.0, *shares], where="post", linewidth=1.6,
                color=chart.arm_style(records.arms, arm).colour,
            )  # fmt: skip
        axes.set_ylim(-0.03, 1.03)
        scales.linear(axes, "x")
        scales.linear(axes, "y")
        axes.set_xlabel("Validation loss")
        axes.set_title("EDF: share of trials with this loss or less")

    listed = "; ".join(
        f"{wording.arm_label(records, arm)} half of {len(losses)} below "
        f"{wording.loss(float(np.median(losses)))}"
        for arm, losses in steps.items()
    )
    alt = f"Empirical distribution functions of the validation loss of finished trials: {listed}."
    return Figure(
        id="edf-figure",
        panels=(chart.panel("explore-edf", alt, draw),),
        caption="Empirical distribution function of the finished trials of each arm. The further "
        "left a curve is, the easier good configurations were to find.",
        data=Data(
            ("arm", "loss", "share"),
            tuple(
                (arm, float(f"{loss:.6g}"), float(f"{(place + 1) / len(losses):.6g}"))
                for arm, losses in steps.items()
                for place, loss in enumerate(losses)
            ),
        ),
        legend=_arms(records, records.trials),
    )


def _arms(records: Records, trials: "pd.DataFrame") -> tuple[Key, ...]:
    """The marks of the arms that have trials, in their order; the page's script reads them."""
    return arm_axis.keys(records, (arm for arm in records.arms if (trials["arm"] == arm).any()))


def _rank_figure(records: Records, finished: "pd.DataFrame", names: list[str]) -> Figure:
    """Optuna's rank plot of two hyperparameters: the less a dot is faded, the better its trial."""
    ranks = finished.groupby("arm")["value"].rank(pct=True)
    ordered = finished.assign(rank=ranks).sort_values("rank", ascending=False, kind="stable")
    return Figure(
        id="rank-figure",
        panels=(_rank_panel(records, ordered, names),),
        caption="Strong dots are the best finished trials of their arm, faded ones the worst. "
        "Where strong dots gather, both hyperparameters are good together.",
        data=selection.data(
            ordered, "arm", *selection.search_column(records), "trial",
            *(_PREFIX + name for name in names), "value", "rank",
        ),
    )  # fmt: skip


def _rank_panel(records: Records, ordered: "pd.DataFrame", names: list[str]) -> Panel:
    columns = [ordered[_PREFIX + name] for name in names]
    words = [
        selection.choices(records, name, column)
        for name, column in zip(names, columns, strict=True)
    ]

    def draw(axes: Axes) -> None:
        places = []
        spread = np.array(scales.spread(len(ordered), 0.5))
        for column, choices in zip(columns, words, strict=True):
            if choices:
                at = [choices.index(wording.value_text(value)) for value in column]
                places.append((np.array(at) + spread).tolist())
                # Another order for the other axis, or dots of a cell would be on a diagonal.
                spread = np.random.default_rng(0).permutation(spread)
            else:
                places.append(column.astype(float).to_list())
        look: dict[str, Any] = {
            "facecolors": chart.SERIES[0], "edgecolors": chart.MUTED, "linewidths": 0.6,
        }  # fmt: skip
        # In twenty shades, each drawn as one group.
        shades = np.ceil(20 * ordered["rank"].to_numpy(float)).clip(1, 20)
        anchors = np.array(selection.anchors(ordered))
        for shade in sorted(set(shades), reverse=True):
            ours = shades == shade
            dots = axes.scatter(
                np.array(places[0])[ours], np.array(places[1])[ours], s=44, marker="o",
                clip_on=False, alpha=1 - 0.9 * (shade - 1) / 19, **look,
            )  # fmt: skip
            dots.set_urls([f"#{anchor}" for anchor in anchors[ours]])
        sides: tuple[scales.Direction, ...] = ("x", "y")
        for direction, name, choices, place in zip(sides, names, words, places, strict=True):
            if choices:
                scales.categories(axes, direction, [wording.shorten(c, 14) for c in choices])
            elif selection.is_logarithmic(records, name, place):
                scales.logarithmic(axes, direction, place)
            else:
                scales.linear(axes, direction)
        axes.set_xlabel(wording.shorten(wording.capital(wording.label(names[0])), 40))
        axes.set_title(f"Rank, {wording.shorten(wording.label(names[1]), 26)} (vertical)")

    best = ordered.tail(max(1, len(ordered) // 10))
    listed = wording.listing(
        [
            f"{wording.label(name)} {wording.value_text(best[_PREFIX + name].iloc[-1])}"
            for name in names
        ]
    )
    alt = (
        f"Rank plot of {wording.counted(len(ordered), 'finished trial')} by "
        f"{wording.listing([wording.label(name) for name in names])}; a best trial has {listed}."
    )
    return chart.panel("explore-rank", alt, draw)


def _timeline_figure(records: Records, trials: "pd.DataFrame", timeline: Panel) -> Figure:
    drawn = trials.head(lanes.MAX_BARS)
    few = f" The first {len(drawn):,} of {len(trials):,} are drawn." if len(drawn) < len(
        trials
    ) else ""  # fmt: skip
    return Figure(
        id="timeline-figure",
        panels=(timeline,),
        caption="Each bar is a trial; pale ones were pruned or failed. "
        f"{_lines(drawn)} Times are recorded in seconds.{few}",
        data=selection.data(
            drawn, "arm", *selection.search_column(records), "trial", "state", "worker", "lane",
            "began_s", "ended_s",
        ),
        legend=_arms(records, drawn) if len(records.arms) > 1 else (),
    )  # fmt: skip


def _lines(drawn: "pd.DataFrame") -> str:
    """What a line of the timeline is."""
    unnamed = int(drawn["worker"].isna().sum())
    if unnamed == len(drawn):
        return (
            "The files of these trials do not name their workers: each is on the first line that "
            "was free when it started."
        )
    each = "Each worker has a line; a trial that was interrupted is on that of its last worker."
    if unnamed:
        each += (
            f" The files of {wording.counted(unnamed, 'trial')} name no worker: they are on the "
            "first free of the last lines."
        )
    return each
