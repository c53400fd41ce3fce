"""Trials over time, each on the line of the worker that trained it."""

import re
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

    Columns `began_s` and `ended_s` are seconds since the first start, `lane` counts from 1. Each
    worker has a lane. Below are trials whose files name no worker: older ones, and imported ones.
    They are on the first of these lanes that is free when they start.
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
    named = found["worker"].notna()
    workers = sorted(found.loc[named, "worker"].unique(), key=_natural)
    rest = found[~named]
    others = iter(lanes_of(rest["began_s"].to_list(), rest["ended_s"].to_list()))
    found = found.assign(
        lane=[
            1 + workers.index(worker) if known else len(workers) + next(others)
            for worker, known in zip(found["worker"], named, strict=True)
        ]
    )
    return found.assign(began_s=_trained_from(found))


def lanes_of(began: Sequence[float], ended: Sequence[float]) -> list[int]:
    """For each span, ascending by its start, the lowest line from 1 that is free by then."""
    free: list[float] = []
    found = []
    for start, end in zip(began, ended, strict=True):
        lane = next((i for i, until in enumerate(free) if until <= start), len(free))
        free[lane : lane + 1] = [max(start, end)]
        found.append(lane + 1)
    return found


def _trained_from(timed: "pd.DataFrame") -> "pd.Series[float]":
    """`began_s`, but not before the lane's trial before has ended.

    A worker trains one trial at a time. One that begins with another's trial, because that died or
    is not ready yet, has begun later than the trial.
    """
    ordered = timed.sort_values(["lane", "ended_s", "began_s"], kind="stable")
    before = ordered.groupby("lane")["ended_s"].shift(1)
    return ordered["began_s"].where(~(ordered["began_s"] < before), before)


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sorts worker 10 after worker 9."""
    return tuple((int(part or 0), text) for text, part in re.findall(r"(\D*)(\d*)", name))


def panel(records: Records, trials: "pd.DataFrame") -> Panel | None:
    """None where no training took a second."""
    if trials.empty or not trials["ended_s"].max() > 0:
        return None
    drawn = trials.head(MAX_BARS)
    unit, factor = _unit(float(drawn["ended_s"].max()))
    number, anchors = int(drawn["lane"].max()), selection.anchors(drawn)
    names = dict(zip(trials["lane"], trials["worker"], strict=True))
    by_worker = bool(drawn["worker"].notna().any())

    def line(lane: int) -> str:
        if not by_worker:
            return str(lane)
        return wording.MISSING if wording.missing(names.get(lane)) else str(names[lane])

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
        places = range(1, number + 1)
        axes.set_yticks(places, [wording.shorten(line(lane), 20) for lane in places])
        axes.grid(visible=False, axis="y")
        scales.linear(axes, "x")
        axes.set_xlabel(f"Since the first start, {unit}")
        axes.set_title("Trials over time, by worker" if by_worker else "Trials over time")

    busy = [
        f"{_spoken(line(lane), by_worker)}: {wording.counted(len(ours), 'trial')}, "
        f"{wording.seconds(float((ours['ended_s'] - ours['began_s']).sum()))} of training"
        for lane in sorted({int(each) for each in drawn["lane"]})[:8]
        for ours in (drawn[drawn["lane"] == lane],)
    ]
    alt = f"Timeline of {wording.counted(len(drawn), 'trial')}: {'; '.join(busy)}."
    return chart.panel("explore-timeline", alt, draw, height=max(170, 90 + 26 * number))


def _spoken(line: str, by_worker: bool) -> str:
    if line == wording.MISSING:
        return "no worker on file"
    return f"{'worker' if by_worker else 'line'} {line}"


def _unit(seconds: float) -> tuple[str, float]:
    if seconds < 180:
        return "seconds", 1.0
    return ("minutes", 60.0) if seconds < 3 * 3600 else ("hours", 3600.0)
