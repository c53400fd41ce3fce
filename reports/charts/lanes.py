"""Trials over time, each on a line of its own while it trains: as many lines as workers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from harness.results.records import Records
from reports import selection, wording
from reports.charts import chart, scales
from reports.content import Panel

if TYPE_CHECKING:
    import pandas as pd

MAX_BARS = 300  # the first ones; more are too thin to be told apart


def timed(records: Records) -> "pd.DataFrame":
    """Trials with a start and an end, in the order of their starts.

    Columns `began_s` and `ended_s` are seconds since the first start, `lane` counts from 1. The
    files do not name workers: a training gets the first line that is free when it starts.
    """
    trials = records.trials
    start, end = (trials[name].map(wording.instant) for name in ("started", "finished"))
    known = start.notna() & end.notna()
    found = trials[known].assign(began=start[known], ended=end[known])
    if found.empty:
        return found.assign(began_s=[], ended_s=[], lane=[])
    first = found["began"].min()
    for name in ("began", "ended"):
        found[f"{name}_s"] = [(each - first).total_seconds() for each in found[name]]
    found = found.sort_values(["began_s", "ended_s", *selection.KEYS], kind="stable")
    return found.assign(lane=lanes_of(found["began_s"].to_list(), found["ended_s"].to_list()))


def lanes_of(began: Sequence[float], ended: Sequence[float]) -> list[int]:
    """For each span, ascending by its start, the lowest line from 1 that is free by then."""
    free: list[float] = []
    found = []
    for start, end in zip(began, ended, strict=True):
        lane = next((i for i, until in enumerate(free) if until <= start), len(free))
        free[lane : lane + 1] = [max(start, end)]
        found.append(lane + 1)
    return found


def panel(records: Records, trials: "pd.DataFrame") -> Panel | None:
    """None where no training took a second."""
    if trials.empty or not trials["ended_s"].max() > 0:
        return None
    drawn = trials.head(MAX_BARS)
    unit, factor = _unit(float(drawn["ended_s"].max()))
    number, anchors = int(drawn["lane"].max()), selection.anchors(drawn)

    def draw(axes: Axes) -> None:
        bars = zip(
            *(drawn[name] for name in ("arm", "state", "began_s", "ended_s", "lane")),
            anchors,
            strict=True,
        )
        for arm, state, began, ended, lane, anchor in bars:
            bar: dict[str, Any] = {
                "facecolor": chart.arm_style(records.arms, arm).colour,
                "edgecolor": chart.PAPER,
                "linewidth": 0.6,
                "alpha": 0.9 if state == "complete" else 0.4,
            }
            width = max(ended - began, 0.002 * drawn["ended_s"].max()) / factor
            span = Rectangle((began / factor, lane - 0.35), width, 0.7, **bar)
            span.set_url(f"#{anchor}")
            axes.add_patch(span)
        axes.set_xlim(0, 1.01 * float(drawn["ended_s"].max()) / factor)
        axes.set_ylim(number + 0.6, 0.4)
        axes.set_yticks(range(1, number + 1))
        axes.grid(visible=False, axis="y")
        scales.linear(axes, "x")
        axes.set_xlabel(f"Since the first start, {unit}")
        axes.set_title("Trials over time, a line for each worker")

    busy = [
        f"line {lane}: {wording.counted(len(ours), 'trial')}, "
        f"{wording.seconds(float((ours['ended_s'] - ours['began_s']).sum()))} of training"
        for lane, ours in list(drawn.groupby("lane"))[:8]
    ]
    alt = f"Timeline of {wording.counted(len(drawn), 'trial')}: {'; '.join(busy)}."
    return chart.panel(
        "explore-timeline", alt, draw, tooltips=selection.tooltips(records),
        height=max(170, 90 + 26 * number),
    )  # fmt: skip


def _unit(seconds: float) -> tuple[str, float]:
    if seconds < 180:
        return "seconds", 1.0
    return ("minutes", 60.0) if seconds < 3 * 3600 else ("hours", 3600.0)
