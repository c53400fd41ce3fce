"""Forecasts beside the truth: the test block, the error by step of the horizon, the residuals."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from harness.analysis.summary import recommended_arm
from harness.core.text import cut
from harness.results.forecasts import Forecasts, read_forecasts
from harness.results.records import BASELINES, Records
from reports import selection, wording
from reports.charts import arm_axis, chart, scales, times
from reports.content import Column, Data, Figure, Row, Section, Table, Value

ORDER = 24
MOST_TIMES = 300  # drawn: more are hard to read


@dataclass(frozen=True)
class _Errors:
    """An arm's mean absolute error by step of the horizon, the mean over its replicates."""

    name: str
    by_step: NDArray[np.float64]  # (horizon,)


def build(records: Records) -> Section | None:
    if records.horizon is None:
        return None
    found = [each for name in (*records.arms, *BASELINES) if (each := _errors(records, name))]
    shown = _shown(records, found)
    if shown is None:
        return None
    arm, forecasts = shown
    of_arms = [each for each in found if each.name in records.arms]
    others = [each for each in found if each.name not in records.arms]
    return Section(
        id="forecast",
        title="The forecasts",
        text=(_text(records, forecasts), _by_step_text(records, found)),
        figures=(
            _block(records, arm, forecasts),
            _by_step(records, of_arms, others),
            _residuals(records, arm, forecasts),
        ),
        tables=(_table(records, found),),
    )


def _errors(records: Records, name: str) -> _Errors | None:
    """By step, over all replicates of an arm or baseline; None without forecasts."""
    steps = [np.abs(each.forecast - each.truth).mean(axis=(0, 2)) for each in _all(records, name)]
    steps = [each for each in steps if len(each) == len(steps[0])]
    return _Errors(name, np.mean(steps, axis=0)) if steps else None


def _all(records: Records, name: str) -> list[Forecasts]:
    ours = selection.of_arm(records.replicates, name)
    keys = ours.loc[ours["state"] == "complete", ["search", "replicate"]].dropna()
    return [
        each
        for search, number in keys.astype(int).sort_values(["search", "replicate"]).to_numpy()
        if (each := read_forecasts(records.root, name, int(number), int(search))) is not None
    ]


def _shown(records: Records, found: list[_Errors]) -> tuple[str, Forecasts] | None:
    """The arm to draw, and the mean of its replicates: the recommended one, if it has any."""
    chosen = recommended_arm(records)
    named = [each.name for each in found if each.name in records.arms]
    for name in dict.fromkeys([*([chosen] if chosen in named else []), *named]):
        of_arm = _all(records, name)
        alike = [each for each in of_arm if each.forecast.shape == of_arm[0].forecast.shape]
        mean = np.mean([each.forecast for each in alike], axis=0)
        return name, replace(of_arm[0], forecast=mean)
    return None


def _targets(records: Records, forecasts: Forecasts) -> list[str]:
    declared = records.manifest.dataset.get("targets")
    names = [cut(str(each)) for each in declared] if isinstance(declared, list) else []
    number = forecasts.truth.shape[2]
    return names if len(names) == number else [f"target {i + 1}" for i in range(number)]


def _text(records: Records, forecasts: Forecasts) -> str:
    n, horizon = forecasts.truth.shape[:2]
    frequency = records.manifest.dataset.get("frequency")
    step = f" of {cut(str(frequency))}" if isinstance(frequency, str) and frequency else ""
    ahead = f"the next {horizon:,} steps{step}" if horizon > 1 else f"the next step{step}"
    targets = _targets(records, forecasts)
    first = f" Drawn is the first of the targets, {targets[0]}." if len(targets) > 1 else ""
    series = records.manifest.dataset.get("series")
    if isinstance(series, int) and series > 1:
        first = f" This section is about the first of the {series:,} series.{first}"
    folds = records.manifest.dataset.get("folds")
    several = (
        f" The times are those of {folds} folds, each forecast by networks that were trained on "
        "what lies before it."
        if isinstance(folds, int) and folds > 1
        else ""
    )
    start, end = cut(str(forecasts.times[0, 0])), cut(str(forecasts.times[-1, -1]))
    return (
        f"At each of {n:,} test times, from {start} to {end}, {ahead} "
        f"{'are' if horizon > 1 else 'is'} forecast at once.{several}{first}"
    )


def _by_step_text(records: Records, found: list[_Errors]) -> str:
    """Which arm has the lowest error at the first and at the last step."""
    horizon = len(found[0].by_step)
    ends = [0, horizon - 1] if horizon > 1 else [0]
    best = [min(found, key=lambda each: float(each.by_step[step])) for step in ends]
    named = [wording.arm_label(records, each.name) for each in best]
    scores = [
        f"at step {step + 1} ({wording.score(records.metric, each.by_step[step])})"
        for step, each in zip(ends, best, strict=True)
    ]
    if len(set(named)) == 1:
        listed = f"{named[0]} {wording.listing(scores)}"
    else:
        pairs = zip(named, scores, strict=True)
        listed = wording.listing([f"{name} {score}" for name, score in pairs])
    return f"The lowest mean absolute error is that of {listed}."


def _block(records: Records, arm: str, forecasts: Forecasts) -> Figure:
    """Truth, and the forecasts made one step and the whole horizon before."""
    horizon, target = forecasts.horizon, _targets(records, forecasts)[0]
    steps = [1, horizon] if horizon > 1 else [1]
    drawn = min(MOST_TIMES, len(forecasts.truth))
    label = wording.arm_label(records, arm)
    lines = {
        step: (forecasts.times[-drawn:, step - 1], forecasts.forecast[-drawn:, step - 1, 0])
        for step in steps
    }
    truth = (forecasts.times[-drawn:, 0], forecasts.truth[-drawn:, 0, 0])
    axis = times.axis_of([*truth[0], *(time for at, _ in lines.values() for time in at)])
    colours = {step: chart.SERIES[place] for place, step in enumerate(steps)}

    def draw(axes: Axes) -> None:
        axes.plot(axis.places(truth[0]), truth[1], color=chart.INK, linewidth=1.4, zorder=2)
        for step, (at, values) in lines.items():
            axes.plot(
                axis.places(at), values, color=colours[step], linewidth=1.4, zorder=3 - step / 1e4,
                linestyle="-" if step == 1 else (0, (4, 2)),
            )  # fmt: skip
        axis.label(axes)
        scales.linear(axes, "y")
        axes.set_title(wording.shorten(target, 40))

    errors = np.abs(forecasts.forecast[-drawn:, :, 0] - forecasts.truth[-drawn:, :, 0])
    listed = ", ".join(
        f"{wording.score(records.metric, errors[:, step - 1].mean())} {_ahead(step)}"
        for step in steps
    )
    low, high = truth[1].min(), truth[1].max()
    alt = (
        f"Line chart of {target} over the test times, truth and forecasts of {label}: the truth "
        f"goes from {wording.value_text(float(low))} to {wording.value_text(float(high))}; the "
        f"mean absolute error of what is drawn is {listed}."
    )
    cut_off = f" The last {drawn:,} test times are drawn." if drawn < len(forecasts.truth) else ""
    return Figure(
        id="forecast-figure",
        panels=(chart.panel("forecast-block", alt, draw),),
        caption=f"Truth, and what {label} forecast (the mean of its replicates).{cut_off}",
        data=Data(
            ("time", "step", "truth", "forecast"),
            tuple(
                (str(forecasts.times[i, step - 1]), step,
                 _plain(forecasts.truth[i, step - 1, 0]),
                 _plain(forecasts.forecast[i, step - 1, 0]))
                for step in steps
                for i in range(len(forecasts.truth) - drawn, len(forecasts.truth))
            ),
        ),
        legend=(
            chart.line_key("truth", chart.INK),
            *(
                chart.line_key(f"forecast {_ahead(s)}", colours[s], "none" if s == 1 else ".4 .2")
                for s in steps
            ),
        ),
    )  # fmt: skip


def _ahead(step: int) -> str:
    return f"{wording.counted(step, 'step')} ahead"


def _by_step(records: Records, arms: list[_Errors], others: list[_Errors]) -> Figure:
    metric = records.metric

    def draw(axes: Axes) -> None:
        for each in arms:
            style = chart.arm_style(records.arms, each.name)
            steps = range(1, len(each.by_step) + 1)
            axes.plot(
                steps, each.by_step, color=style.colour, marker=style.marker, linewidth=1.4,
                markersize=4.5 if len(each.by_step) <= 30 else 0,
            )  # fmt: skip
        for each, (dashes, _) in zip(others, itertools.cycle(chart.DASHES), strict=False):
            _line_of_baseline(axes, each, dashes)
        scales.whole(axes, "x")
        scales.linear(axes, "y")
        axes.set_xlabel("Step of the horizon")
        axes.set_title(metric.axis("Mean absolute error"))

    listed = "; ".join(
        f"{wording.arm_label(records, each.name)} from "
        f"{wording.score(metric, each.by_step[0])} at step 1 to "
        f"{wording.score(metric, each.by_step[-1])} at step {len(each.by_step)}"
        for each in (*arms, *others)
    )
    keys = [*arm_axis.keys(records, (each.name for each in arms))]
    keys += [
        chart.line_key(wording.arm_label(records, each.name), chart.MUTED, dashes)
        for each, (_, dashes) in zip(others, itertools.cycle(chart.DASHES), strict=False)
    ]
    return Figure(
        id="forecast-steps-figure",
        panels=(
            chart.panel(
                "forecast-steps",
                f"Line chart of the mean absolute error by step of the horizon: {listed}.",
                draw,
            ),
        ),
        caption="The mean absolute error of each step, over test times and replicates. Lines "
        "without marks are baselines."
        if others
        else "The mean absolute error of each step, over test times and replicates.",
        data=Data(
            ("arm", "step", "mean_absolute_error"),
            tuple(
                (each.name, step, _plain(error))
                for each in (*arms, *others)
                for step, error in enumerate(each.by_step, start=1)
            ),
        ),
        legend=tuple(keys),
    )


def _line_of_baseline(axes: Axes, each: _Errors, dash: Any) -> None:
    steps = list(range(1, len(each.by_step) + 1))
    values = list(each.by_step)
    if len(steps) == 1:  # a line of one point would not be seen
        axes.axhline(values[0], color=chart.MUTED, linewidth=1.4, linestyle=dash, zorder=1.5)
        return
    axes.plot(steps, values, color=chart.MUTED, linewidth=1.4, linestyle=dash, zorder=1.5)


def _residuals(records: Records, arm: str, forecasts: Forecasts) -> Figure:
    """Forecast minus truth, the mean over the horizon, at each test time."""
    metric, label = records.metric, wording.arm_label(records, arm)
    residuals = (forecasts.forecast - forecasts.truth)[:, :, 0].mean(axis=1)
    at, drawn = forecasts.times[:, 0], slice(-MOST_TIMES, None)
    axis = times.axis_of(at[drawn])

    def draw(axes: Axes) -> None:
        axes.axhline(0, color=chart.MUTED, linewidth=1, zorder=1.5)
        axes.plot(
            axis.places(at[drawn]), residuals[drawn], color=chart.SERIES[0], linewidth=0.8,
            marker="o", markersize=2.5, zorder=2,
        )  # fmt: skip
        axis.label(axes)
        scales.linear(axes, "y", lambda value: f"{value:+g}".replace("-", "−").replace("+0", "0"))
        axes.set_title(metric.axis("Forecast minus truth"))

    first, second = np.array_split(residuals, 2) if len(residuals) > 1 else (residuals, residuals)
    halves = " and ".join(
        f"{metric.with_unit(metric.signed(float(half.mean())), wording.NBSP)} in the {which} half"
        for half, which in ((first, "first"), (second, "second"))
    )
    alt = (
        f"Line chart of residuals of {label} over the test times, the mean over the horizon: on "
        f"average {halves}; they go from {metric.signed(float(residuals.min()))} to "
        f"{metric.signed(float(residuals.max()))}."
    )
    cut_off = f" The last {MOST_TIMES:,} are drawn." if len(residuals) > MOST_TIMES else ""
    return Figure(
        id="forecast-residuals-figure",
        panels=(chart.panel("forecast-residuals", alt, draw),),
        caption=f"Forecast minus truth of {label} at each test time, the mean over the horizon. A "
        f"run of equal signs says that errors persist, so the times are no independent examples."
        f"{cut_off}",
        data=Data(
            ("time", "residual"),
            tuple((str(t), _plain(r)) for t, r in zip(at[drawn], residuals[drawn], strict=True)),
        ),
    )


def _table(records: Records, found: list[_Errors]) -> Table:
    """Rows are steps, columns are arms and baselines."""
    horizon = len(found[0].by_step)
    alike = [each for each in found if len(each.by_step) == horizon]
    metric = records.metric
    rows = []
    for step in range(horizon):
        values = [float(each.by_step[step]) for each in alike]
        rows.append(
            Row(
                (
                    f"{step + 1}",
                    *(Value(metric.number(value), value) for value in values),
                )
            )
        )
    return Table(
        id="forecast-steps-table",
        caption=metric.axis("Mean absolute error by step of the horizon"),
        columns=(
            Column("Step", True),
            *(
                Column(wording.capital(wording.arm_label(records, each.name)), True, metric.unit)
                for each in alike
            ),
        ),
        rows=tuple(rows),
    )


def _plain(value: Any) -> float:
    return float(f"{float(value):.6g}")
