"""The search's own scores: validation accuracy and loss, every trial shown."""

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from harness.analysis.summary import best_of_searches
from harness.results.records import Records
from reports import cells, selection, wording
from reports.charts import chart, scales
from reports.charts.arm_axis import Layout, axes_of, of
from reports.content import Column, Figure, Key, Link, Panel, Row, Section, Table

if TYPE_CHECKING:
    import pandas as pd

ORDER = 45
_MEASURES = ("val_accuracy", "value")


def build(records: Records) -> Section | None:
    scored = records.trials[records.trials["state"].isin(["complete", "pruned"])]
    scored = scored.dropna(subset=["value"])
    if scored.empty:
        return None
    layout = of(records)
    panels = tuple(
        _panel(records, scored.dropna(subset=[measure]), layout, measure)
        for measure in _MEASURES
        if scored[measure].notna().any()
    )
    return Section(
        id="validation",
        title=f"The search: validation {wording.metric(records)} against {layout.name}"
        if layout.name
        else "The search, trial by trial",
        text=(_text(records, layout),),
        figures=(
            Figure(id="validation-figure", panels=panels, caption=_caption(records, layout),
                   legend=_legend(records, scored),
                   data=selection.data(scored, "arm", *selection.search_column(records), "trial",
                                       "state", *_MEASURES)),
        ),
        tables=(_table(records),) if len(records.arm_searches) > 1 else (),
    )  # fmt: skip


def _title(records: Records, measure: str) -> str:
    if measure == "value":
        return "Validation loss"
    return records.validation_metric.axis(f"Validation {wording.metric(records)}")


def _panel(records: Records, scored: "pd.DataFrame", layout: Layout, measure: str) -> Panel:
    factor = records.validation_metric.factor if measure == "val_accuracy" else 1.0
    step, upright = layout.step, layout.upright

    def draw(axes: Axes) -> None:
        for arm in records.arms:
            ours = selection.of_arm(scored, arm)
            best = selection.is_best(records, ours)
            style = chart.arm_style(records.arms, arm)
            if layout.name:
                offsets = scales.spread(len(ours), 0.5 * step)
                place = [layout.positions[arm] + offset for offset in offsets]
            else:
                place = ours["trial"].astype(float).to_list()
            height = (ours[measure] * factor).to_list()
            for look in ("pruned", "complete", "best"):
                chosen = _of_look(ours, best, look)
                if layout.name and look == "best":
                    # In the middle of the arm, together with their intervals.
                    number = int(chosen.sum())
                    offsets = scales.spread(number, 0.3 * step) if number > 1 else [0.0] * number
                    at = [layout.positions[arm] + offset for offset in offsets]
                else:
                    at = [p for p, keep in zip(place, chosen, strict=True) if keep]
                values = [h for h, keep in zip(height, chosen, strict=True) if keep]
                x, y = (at, values) if upright else (values, at)
                if look == "best" and measure == "val_accuracy":
                    _interval(records, axes, x, y, upright=upright)
                chart.mark(axes, x, y, style, look, selection.anchors(ours[chosen]))
        if not layout.name:
            scales.whole(axes, "x")
            axes.set_xlabel("Trial, in the order of the search")
        axes_of(records, axes, layout, _title(records, measure))

    return chart.panel(
        f"validation-{measure.replace('_', '-')}",
        _alt(records, scored, measure),
        draw,
        height=layout.height,
    )


def _of_look(
    trials: "pd.DataFrame", best: "pd.Series[bool]", look: chart.Look
) -> "pd.Series[bool]":
    if look == "pruned":
        return trials["state"] == "pruned"
    return best if look == "best" else (trials["state"] == "complete") & ~best


def _interval(
    records: Records, axes: Axes, x: list[float], y: list[float], *, upright: bool
) -> None:
    """One standard error on either side of the best accuracy."""
    for across, up in zip(x, y, strict=True):
        error = wording.standard_error(
            (up if upright else across) / 100, wording.validation_size(records)
        )
        if error:
            bars: dict[str, Any] = {"yerr" if upright else "xerr": 100 * error}
            axes.errorbar(across, up, color=chart.INK, capsize=4, linewidth=1.4, zorder=3.5, **bars)


def _text(records: Records, layout: Layout) -> str:
    if not layout.name:
        which = " of the same search" if wording.several_searches(records) else ""
        return (
            "The study has one arm and searches everything together. Each dot is one training; "
            f"the sampler knew the results{which} to its left."
        )
    several = ""
    if wording.several_searches(records):
        several = (
            f" It had {wording.times_searched(records)} searches that knew nothing of one another; "
            "search number s tries the same configurations in every arm, as far as it can."
            if records.manifest.shared_searches
            else f" It had {wording.times_searched(records)} searches that knew nothing of one "
            "another."
        )
    return (
        f"Each dot is one training. Every {layout.name} was searched with its own budget, so all "
        f"of them are tuned with the same care.{several}"
    )


def _caption(records: Records, layout: Layout) -> str:
    size = wording.validation_size(records)
    which = selection.best_of_each(records)
    bars = "; bars are one standard error of its accuracy" if size else ""
    lay = " Dots of one arm are moved sideways to keep them apart." if layout.name else ""
    return (
        f"Dark outline: {which}, the one with the lowest validation loss{bars}. "
        f"Hollow: pruned, at its best epoch so far.{lay}"
    )


def _legend(records: Records, scored: "pd.DataFrame") -> tuple[Key, ...]:
    style = chart.arm_style(records.arms, records.arms[0])
    keys = [chart.marker_key("finished", style, "complete")]
    if (scored["state"] == "complete").any():
        keys.append(chart.marker_key("best", style, "best"))
    if (scored["state"] == "pruned").any():
        keys.append(chart.marker_key("pruned", style, "pruned"))
    return tuple(keys)


def _alt(records: Records, scored: "pd.DataFrame", measure: str) -> str:
    size, metric = wording.validation_size(records), records.validation_metric
    scores = measure == "val_accuracy"

    def text(value: float) -> str:
        return wording.score(metric, value, size) if scores else wording.loss(value)

    what = f"validation {wording.metric(records)}" if scores else "validation loss"
    best = {
        arm: row[measure]
        for arm in records.arms
        if (row := selection.best_of(records, arm)) is not None
    }
    best = {arm: value for arm, value in best.items() if not wording.missing(value)}
    low, high = scored[measure].min(), scored[measure].max()
    extent = f"{wording.counted(len(scored), 'trial')} range from {text(low)} to {text(high)}"
    if not best:
        return f"Dot chart of {what}: {extent}; all of them were pruned."
    listed = ", ".join(f"{wording.arm_label(records, arm)} {text(v)}" for arm, v in best.items())
    if len(best) == 1:
        return f"Dot chart of {what}: {extent}; the best trial reached {listed}."
    sign = metric.sign if scores else -1
    first = max(best, key=lambda arm: sign * best[arm])
    return (
        f"Dot chart of {what}: {extent}. Best trial of each arm: {listed}; "
        f"{wording.arm_label(records, first)} is best."
    )


def _table(records: Records) -> Table:
    """The best trial of each search, and how many of the others ended in which state."""
    size, several = wording.validation_size(records), wording.several_searches(records)
    found = best_of_searches(records)
    rows = []
    for arm, search in records.arm_searches:
        trials = selection.of_arm(records.trials, arm)
        states = trials.loc[trials["search"] == search, "state"]
        tally = tuple(f"{int((states == s).sum()):,}" for s in ("complete", "pruned", "failed"))
        of_search = found[(found["arm"] == arm) & (found["search"] == search)]
        labels = (wording.arm_label(records, arm), *((f"{search}",) if several else ()))
        if of_search.empty:
            rows.append(Row((*labels, *(wording.MISSING,) * 6, *tally)))
            continue
        best = of_search.iloc[0]
        rows.append(
            Row(
                (
                    *labels,
                    Link(f"{best['trial']}", wording.trial_anchor(arm, best["trial"], search)),
                    cells.score(records.validation_metric, best["val_accuracy"], size),
                    cells.loss(best["value"]),
                    cells.count(best["parameters"]),
                    cells.milliseconds(best["step_ms"]),
                    cells.seconds(best["train_s"]),
                    *tally,
                )
            )
        )
    metric = wording.capital(wording.metric(records))
    unit = records.validation_metric.unit
    titles = {"Trial": "", metric: unit, "Loss": "", "Parameters": "", "Step": "ms",
              "Training": "s", "Finished": "", "Pruned": "", "Failed": ""}  # fmt: skip
    return Table(
        id="best-trials",
        caption=f"The best trial of each {'search' if several else 'arm'}, and how many of its "
        "trials finished",
        columns=(
            Column("Arm"),
            *((Column("Search", numeric=True),) if several else ()),
            *(Column(t, numeric=True, unit=unit) for t, unit in titles.items()),
        ),
        rows=tuple(rows),
    )
