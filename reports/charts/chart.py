"""The look of all charts, and their SVG as a part of the page.

The theme is seaborn's, and text stays text. Colours are written as CSS variables (see
templates/page.css), so that a chart follows the reader's light or dark scheme; sizes are in CSS
pixels.
"""

import io
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.path import Path

from harness.analysis.statistics import Interval
from harness.core.metrics import Metric
from harness.core.text import sanitize
from reports.charts import svg
from reports.content import Key, Panel

WIDTH, HEIGHT = 400, 255  # two side by side on a desktop; nearly full size on a phone

# Placeholders for the page's own colours, in no palette; the SVG gets CSS variables instead.
INK, MUTED, GRID, PAPER = "#010101", "#010102", "#010103", "#010104"
# seaborn's colour-blind-safe palette without its pink and yellow, too pale for dots on white.
_COLORBLIND = sns.color_palette("colorblind").as_hex()
SERIES = tuple(_COLORBLIND[i] for i in (0, 1, 2, 3, 4, 5, 7, 9))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", "*", ">", "h")
# Of baselines' lines: for matplotlib, and for a key of the legend.
DASHES: tuple[tuple[Any, str], ...] = (
    ((0, (6, 3)), ".6 .3"),
    ((0, (1.5, 2.5)), ".15 .25"),
    ((0, (6, 2, 1.5, 2)), ".6 .2 .15 .2"),
    ((0, (8, 2, 1.5, 2, 1.5, 2)), ".8 .2 .15 .2 .15 .2"),
)
# Factors for the areas of markers that look smaller than a disc of the same size.
_AREAS = {"^": 1.35, "v": 1.35, "<": 1.35, ">": 1.35, "P": 1.2, "X": 1.2, "*": 1.8}
_VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    **{colour: f"var(--series-{i})" for i, colour in enumerate(SERIES)},
}
_THEME: dict[Any, Any] = {
    **sns.axes_style("whitegrid"),
    **sns.plotting_context("paper"),
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 11,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlepad": 12,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "figure.facecolor": "none",
    "font.family": ["DejaVu Sans"],  # to measure text; the browser has its own
    "font.size": 11,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "lines.solid_capstyle": "round",
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "text.color": INK,
    "text.parse_math": False,  # a $ in a name is a $
    "xtick.bottom": False,
    "xtick.color": MUTED,
    "xtick.labelsize": 10.5,
    "ytick.color": MUTED,
    "ytick.labelsize": 10.5,
    "ytick.left": False,
}

Look = Literal["complete", "pruned", "best"]


@dataclass(frozen=True)
class Style:
    """An arm's colour and marker, the same in every chart."""

    colour: str
    marker: str


def arm_style(arms: Sequence[str], arm: str) -> Style:
    index = arms.index(arm)
    return Style(SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)])


def panel(
    identity: str,
    alt: str,
    draw: Callable[[Axes], None],
    *,
    tooltips: Mapping[str, str] | None = None,
    height: float = HEIGHT,
) -> Panel:
    """Let `draw` draw on empty axes; `identity` must be unique in the page.

    Marks that link to a row of the page get the row's entry of `tooltips`. Those of trials need
    none: there are too many, so the page's script makes them of the table's rows.
    """
    buffer = io.StringIO()
    with mpl.rc_context(_THEME), warnings.catch_warnings():
        # The browser has fonts that matplotlib lacks; here they only measure.
        warnings.filterwarnings("ignore", message="Glyph")
        figure = Figure(figsize=(WIDTH / 72, height / 72), layout="constrained")
        FigureCanvasSVG(figure)
        draw(figure.subplots())
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    alt = sanitize(alt)
    drawn = svg.inline(buffer.getvalue(), identity, alt, _VARIABLES, tooltips or {})
    return Panel(svg=drawn, alt=alt, identity=identity)


def mark(
    axes: Axes,
    x: Sequence[float],
    y: Sequence[float],
    style: Style,
    look: Look,
    anchors: Sequence[str],
) -> None:
    """Dots that link to the rows `anchors` of the page."""
    if len(x) == 0:
        return
    face = "none" if look == "pruned" else style.colour
    edge = {"complete": PAPER, "pruned": style.colour, "best": INK}[look]
    dots = axes.scatter(
        x,
        y,
        s=(72 if look == "best" else 38) * _AREAS.get(style.marker, 1.0),
        marker=style.marker,
        facecolors=face,
        edgecolors=edge,
        linewidths={"complete": 0.6, "pruned": 1.2, "best": 1.6}[look],
        alpha=0.85 if look == "complete" else None,
        zorder={"pruned": 2.5, "complete": 3.0, "best": 4.0}[look],
        clip_on=False,
    )
    dots.set_urls([f"#{anchor}" for anchor in anchors])


def ends(metric: Metric, interval: Interval | None) -> tuple[float, float] | None:
    """The ends of an interval of scores in the unit shown, for `mean_mark`; None if unknown."""
    if interval is None or math.isinf(interval.low):
        return None
    return (metric.factor * interval.low, metric.factor * interval.high)


def room(metric: Metric, values: Iterable[float]) -> float:
    """The least height of an axis of scores, in their unit: a point, or 1 % of an error."""
    return 0.01 if math.isfinite(metric.most) else 0.01 * max(map(abs, values), default=0.0) or 1e-9


def mean_mark(
    axes: Axes,
    place: float,
    mean: float,
    ends: tuple[float, float] | None,
    style: Style,
    upright: bool,
) -> None:
    """A mean with its interval, which may be cut at the limits of the axes."""
    x, y = (place, mean) if upright else (mean, place)
    if ends is not None:
        low, high = max(0.0, mean - ends[0]), max(0.0, ends[1] - mean)
        bar: dict[str, Any] = {"yerr" if upright else "xerr": [[low], [high]]}
        axes.errorbar(x, y, color=INK, capsize=4, linewidth=1.4, zorder=3.5, **bar)
    size = 8 * _AREAS.get(style.marker, 1.0) ** 0.5
    axes.plot(
        x, y, color=style.colour, marker=style.marker, markersize=size, linestyle="none",
        markeredgecolor=INK, markeredgewidth=1.6, zorder=4,
    )  # fmt: skip


def marker_key(label: str, style: Style, look: Look) -> Key:
    """A legend's entry for the dots that `mark` draws."""
    marker = MarkerStyle(style.marker)
    outline = marker.get_path().transformed(marker.get_transform())
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
    commands = [
        letters[code] + " ".join(f"{(1, -1)[i % 2] * 1.4 * v:.2f}" for i, v in enumerate(values))
        for values, code in outline.iter_segments()
        if code in letters
    ]
    colour = _VARIABLES[style.colour]
    return Key(
        label=label,
        path="".join(commands) + "Z",
        fill="none" if look == "pruned" else colour,
        stroke=_VARIABLES[INK] if look == "best" else colour,
    )


def line_key(label: str, colour: str, dash: str = "none") -> Key:
    return Key(label=label, path="M-1.5 0H1.5", fill="none", stroke=_VARIABLES[colour], dash=dash)
