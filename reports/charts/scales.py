"""Axes that suit what they show: logarithmic costs, whole epochs, percentages, categories."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullLocator

Direction = Literal["x", "y"]
# Round in seconds, minutes or hours.
DURATIONS_S = (
    *(0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 20, 30)),
    *(3600 * hours for hours in (1, 2, 5, 10, 24)),
)


def axis_of(axes: Axes, direction: Direction) -> Axis:
    return axes.xaxis if direction == "x" else axes.yaxis


def linear(axes: Axes, direction: Direction, text: Callable[[float], str] = "{:g}".format) -> None:
    """Round ticks, written by `text`."""
    axis = axis_of(axes, direction)
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(round(value, 12))))


def whole(axes: Axes, direction: Direction) -> None:
    """Ticks on whole numbers only."""
    axis = axis_of(axes, direction)
    axis.set_major_locator(MaxNLocator(7, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f}"))


def logarithmic(
    axes: Axes,
    direction: Direction,
    values: Sequence[float],
    text: Callable[[float], str] = "{:g}".format,
    round_values: Sequence[float] = (),
) -> None:
    """A log axis around positive `values`; ticks are at `round_values` if enough lie there."""
    low, high = min(values), max(values)
    margin = max((high / low) ** 0.06, 1.02)
    low, high = low / margin, high * margin
    (axes.set_xlim if direction == "x" else axes.set_ylim)(low, high)
    (axes.set_xscale if direction == "x" else axes.set_yscale)("log")
    axis = axis_of(axes, direction)
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: text(value)))
    inside = [value for value in round_values if low <= value <= high]
    decades = math.log10(high / low)
    if len(inside) > 1:
        axis.set_major_locator(FixedLocator(inside[:: math.ceil(len(inside) / 6)]))
    elif decades < 0.7:  # too narrow for 1, 2, 5
        ticks = MaxNLocator(4).tick_values(low, high)
        axis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    else:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.2 else (1.0,)))


def categories(axes: Axes, direction: Direction, labels: Sequence[str]) -> None:
    """Positions 0, 1, … with these labels."""
    axis = axis_of(axes, direction)
    axis.set_major_locator(FixedLocator(range(len(labels))))
    axis.set_major_formatter(
        FuncFormatter(
            lambda value, _: labels[round(value)] if 0 <= round(value) < len(labels) else ""
        )
    )
    (axes.set_xlim if direction == "x" else axes.set_ylim)(-0.6, len(labels) - 0.4)


def spread(number: int, width: float) -> list[float]:
    """Offsets that keep dots at one place apart: even, by the golden ratio, not random."""
    golden = (math.sqrt(5) - 1) / 2
    return [((0.5 + k * golden) % 1.0 - 0.5) * width for k in range(number)]
