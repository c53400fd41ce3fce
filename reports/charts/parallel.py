"""Parallel coordinates: each trial a line across its hyperparameters, to its validation loss."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from harness.results.records import Records
from reports import selection, wording
from reports.charts import chart
from reports.content import Panel

if TYPE_CHECKING:
    import pandas as pd

MAX_LINES = 150  # more are hard to read; the best are kept
BEST_SHARE = 0.1
CAPTION = (
    " In the chart of lines, each line is a finished trial; the best tenth has its arm's colour."
)


@dataclass(frozen=True)
class _Coordinate:
    """A vertical axis: where each trial crosses it (0 to 1), and its tick labels."""

    title: str
    places: tuple[float, ...]
    ticks: tuple[tuple[float, str], ...]


def panel(records: Records, scored: "pd.DataFrame", names: Sequence[str]) -> Panel | None:
    """Finished trials that have all hyperparameters; None for fewer than 5 trials or 2 axes.

    Without those that are searched only where a condition is met.
    """
    names = [
        name
        for name in names
        if scored["params_" + name].notna().any()
        and wording.look_up(records.manifest.search, name, "when") is None
    ]
    columns = ["params_" + name for name in names]
    trials = scored[(scored["state"] == "complete")].dropna(subset=["value", *columns])
    trials = trials[np.isfinite(trials["value"].astype(float))]
    trials = trials.sort_values(["value", *selection.KEYS], kind="stable").head(MAX_LINES)
    if len(trials) < 5 or len(names) < 2:
        return None
    coordinates = [
        *(_of_parameter(records, name, trials["params_" + name]) for name in names),
        _of_numbers("Loss", trials["value"].astype(float).to_list(), False, wording.loss),
    ]
    best = max(1, round(BEST_SHARE * len(trials)))
    anchors = selection.anchors(trials)

    def draw(axes: Axes) -> None:
        lines = [
            [(x, each.places[row]) for x, each in enumerate(coordinates)]
            for row in range(len(trials))
        ]
        arms = trials["arm"].to_list()
        # The best are drawn last, on top.
        for rows, look in ((range(best, len(trials)), "rest"), (range(best), "best")):
            if not rows:
                continue
            drawn = LineCollection(
                [lines[row] for row in rows],
                colors=[
                    chart.arm_style(records.arms, arms[row]).colour
                    if look == "best"
                    else chart.MUTED
                    for row in rows
                ],
                linewidths=1.8 if look == "best" else 0.8,
                alpha=None if look == "best" else 0.35,
                zorder=3 if look == "best" else 2,
            )
            drawn.set_urls([f"#{anchors[row]}" for row in rows])
            axes.add_collection(drawn)
        for x, each in enumerate(coordinates):
            axes.axvline(x, color=chart.MUTED, linewidth=1, zorder=1)
            for place, text in each.ticks:
                axes.annotate(
                    text, (x, place), xytext=(3, 0), textcoords="offset points", fontsize=9,
                    va="center", color=chart.INK, zorder=4,
                    bbox={"facecolor": chart.PAPER, "edgecolor": "none", "pad": 1, "alpha": 0.8},
                )  # fmt: skip
        axes.set_xlim(-0.05, len(coordinates) - 0.6)
        axes.set_ylim(-0.06, 1.06)
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        axes.grid(visible=False)
        titles = [wording.shorten(each.title, 18) for each in coordinates]
        axes.set_xticks(range(len(coordinates)), titles)
        for number, label in enumerate(axes.get_xticklabels()):
            # Two rows of titles, so that neighbours have room.
            label.set_y(-0.06 * (number % 2))
            label.set_fontsize(9.5)
        axes.set_title("Trials across hyperparameters")

    return chart.panel(
        "search-parallel",
        _alt(trials, names, best),
        draw,
        height=300,
    )


def _of_parameter(records: Records, name: str, values: "pd.Series[Any]") -> _Coordinate:
    title = wording.label(name).capitalize()
    words = selection.choices(records, name, values)
    if words:
        room = max(1, len(words) - 1)
        places = tuple(words.index(wording.value_text(value)) / room for value in values)
        ticks = tuple((i / room, wording.shorten(word, 12)) for i, word in enumerate(words))
        return _Coordinate(title, places, ticks)
    numbers = values.astype(float).to_list()
    logarithmic = selection.is_logarithmic(records, name, numbers)
    whole = all(number.is_integer() for number in numbers)

    def text(number: float) -> str:
        return wording.value_text(int(number) if whole else number)

    return _of_numbers(title, numbers, logarithmic, text)


def _of_numbers(title: str, numbers: list[float], logarithmic: bool, text: Any) -> _Coordinate:
    scaled = [math.log(number) for number in numbers] if logarithmic else numbers
    low, high = min(scaled), max(scaled)
    if low == high:
        return _Coordinate(title, (0.5,) * len(numbers), ((0.5, text(numbers[0])),))
    places = tuple((each - low) / (high - low) for each in scaled)
    return _Coordinate(title, places, ((0.0, text(min(numbers))), (1.0, text(max(numbers)))))


def _alt(trials: "pd.DataFrame", names: Sequence[str], best: int) -> str:
    """Where the best tenth of the trials lies on each axis."""
    parts = []
    for name in names:
        values = trials["params_" + name]
        chosen = values.iloc[:best]
        texts = list(dict.fromkeys(map(wording.value_text, chosen)))
        if len(texts) <= 2 or not all(isinstance(v, int | float) for v in chosen.to_list()):
            parts.append(f"{wording.label(name)} {wording.listing(texts[:6])}")
        else:
            low, high = wording.value_text(chosen.min()), wording.value_text(chosen.max())
            parts.append(f"{wording.label(name)} {low} to {high}")
    number = wording.counted(best, "trial")
    return (
        f"Parallel coordinates of {len(trials)} finished trials. The best {number}: "
        f"{'; '.join(parts)}."
    )
