"""Where the time went: training, validation, compiling, the rest; and what pruning saved."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes

from harness.results import estimates
from harness.results.records import BAG_OF_EMBEDDINGS, Records
from reports import cells, selection, wording
from reports.charts import chart, scales
from reports.content import Column, Data, Figure, Key, Panel, Row, Section, Table

if TYPE_CHECKING:
    import pandas as pd

ORDER = 60
_PARTS = {
    "train_s": "Training",
    "validation_s": "Validation",
    "compile_s": "Compiling",
    "other_s": "Other",
}
_STYLES = chart.SERIES[0], chart.SERIES[1], chart.SERIES[2], chart.SERIES[6]


@dataclass(frozen=True)
class _Spent:
    """Seconds of an arm's trainings, by part; `saved_s` estimates what pruning saved."""

    arm: str
    trainings: int
    parts: dict[str, float]
    saved_s: float

    @property
    def total_s(self) -> float:
        return sum(self.parts.values())


def build(records: Records) -> Section | None:
    spent = [_of_arm(records, arm) for arm in (*records.arms, BAG_OF_EMBEDDINGS)]
    spent = [each for each in spent if each.total_s > 0]
    if not spent:
        return None
    return Section(
        id="time",
        title="Where the time went",
        text=(_text(records, spent), *_pruning(records, spent), *_estimated(records)),
        figures=(
            Figure(
                id="time-figure",
                panels=(_panel(records, spent),),
                caption="Trials and replicates together. Other is the rest of the time between a "
                "training's start and its end: reading data, checkpoints, waiting and "
                "interruptions. It is rounded, because starts and ends are recorded in seconds.",
                legend=tuple(
                    Key(label, "M-1-1H1V1H-1Z", f"var(--series-{index})", "none")
                    for label, index in zip(_PARTS.values(), (0, 1, 2, 6), strict=True)
                ),
                data=Data(
                    ("arm", "trainings", *_PARTS, "saved_by_pruning_s"),
                    tuple(
                        (
                            each.arm,
                            each.trainings,
                            *(float(f"{s:.6g}") for s in each.parts.values()),
                            float(f"{each.saved_s:.6g}"),
                        )
                        for each in spent
                    ),
                ),
            ),
        ),
        tables=(_table(records, spent),),
    )


def _of_arm(records: Records, arm: str) -> _Spent:
    tables = (
        (selection.of_arm(records.trials, arm), selection.of_arm(records.epochs, arm)),
        (
            selection.of_arm(records.replicates, arm),
            selection.of_arm(records.replicate_epochs, arm),
        ),
    )
    parts = {
        part: float(sum(epochs[part].sum() for _, epochs in tables))
        for part in _PARTS
        if part != "other_s"
    }
    between = sum(_between(trainings) for trainings, _ in tables)
    parts["other_s"] = max(0.0, between - sum(parts.values()))
    trainings = sum(len(trainings) for trainings, _ in tables)
    return _Spent(arm, trainings, parts, _saved(records, *tables[0]))


def _between(trainings: "pd.DataFrame") -> float:
    """Seconds from start to end, of all trainings that have both."""
    total = 0.0
    for start, end in zip(trainings["started"], trainings["finished"], strict=True):
        began, ended = wording.instant(start), wording.instant(end)
        if began is not None and ended is not None:
            total += max(0.0, (ended - began).total_seconds())
    return total


def _saved(records: Records, trials: "pd.DataFrame", epochs: "pd.DataFrame") -> float:
    """Seconds that pruned trials would still have taken, at their own seconds per epoch."""
    budget = records.manifest.trial_epochs
    if budget is None:
        return 0.0
    saved = 0.0
    pruned = trials[trials["state"] == "pruned"]
    for search, number in zip(pruned["search"], pruned["trial"], strict=True):
        ours = epochs[(epochs["search"] == search) & (epochs["trial"] == number)]
        seconds = (ours["train_s"] + ours["validation_s"]).mean()
        if len(ours) and not wording.missing(seconds):
            saved += max(0, budget - len(ours)) * float(seconds)
    return saved


def _text(records: Records, spent: list[_Spent]) -> str:
    total = sum(each.total_s for each in spent)
    shares = {
        label: sum(each.parts[part] for each in spent) / total for part, label in _PARTS.items()
    }
    listed = wording.listing([f"{share:.0%} {label.lower()}" for label, share in shares.items()])
    listed = listed.replace("%", "\u00a0%")
    count = sum(each.trainings for each in spent)
    return (
        f"{wording.counted(count, 'training')} took {wording.seconds(total)}, all added together: "
        f"{listed}.{_elapsed(records)}{_profiled(records)}"
    )


def _elapsed(records: Records) -> str:
    """Wall-clock time: shorter than the sum with several workers, longer with interruptions."""
    moments: list[datetime] = []
    for table in (records.trials, records.replicates):
        for column in ("started", "finished"):
            moments += [m for value in table[column] if (m := wording.instant(value)) is not None]
    if len(moments) < 2 or max(moments) == min(moments):
        return ""
    seconds = (max(moments) - min(moments)).total_seconds()
    return f" From the first start to the last end it was {wording.seconds(seconds)}."


def _profiled(records: Records) -> str:
    took_s = (records.profile or {}).get("took_s")
    if took_s is None:
        return ""
    return f" After that the profile took {wording.seconds(took_s)}."


def _pruning(records: Records, spent: list[_Spent]) -> tuple[str, ...]:
    pruned = int((records.trials["state"] == "pruned").sum())
    saved = sum(each.saved_s for each in spent)
    if not pruned:
        return ()
    share = saved / (saved + sum(each.total_s for each in spent))
    return (
        f"Pruning stopped {wording.counted(pruned, 'trial')} early and saved about "
        f"{wording.seconds(saved)}, {share:.0%} of what the study would have taken. This estimate "
        "assumes that each pruned trial would have trained for all epochs at its own speed.",
    )


def _estimated(records: Records) -> tuple[str, ...]:
    """The estimate made before the first trial, compared with the time it took."""
    found = estimates.compare(records)
    if found is None:
        return ()
    error = f"{abs(found['error']):.0%}".replace("%", "\u00a0%")
    side = "more" if found["error"] > 0 else "less"
    return (
        f"Estimated before the study: {wording.seconds(found['estimated_s'])}, "
        f"by {found['profile']}. That is {error} {side} than it took.",
    )


def _panel(records: Records, spent: list[_Spent]) -> Panel:
    unit, factor = _unit(max(each.total_s for each in spent))

    def draw(axes: Axes) -> None:
        for row, each in enumerate(spent):
            left = 0.0
            for seconds, colour in zip(each.parts.values(), _STYLES, strict=True):
                axes.barh(
                    row, seconds / factor, left=left, height=0.6, color=colour,
                    edgecolor=chart.PAPER, linewidth=1, zorder=2,
                )  # fmt: skip
                left += seconds / factor
        scales.categories(axes, "y", [_label(records, each.arm) for each in spent])
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.set_xlim(left=0)
        scales.linear(axes, "x")
        axes.set_xlabel(f"Time, {unit}")

    listed = "; ".join(
        f"{wording.arm_label(records, each.arm)} {wording.seconds(each.total_s)}, of it "
        f"{wording.seconds(each.parts['train_s'])} training"
        for each in spent
    )
    return chart.panel(
        "time-parts",
        f"Bar chart of the time that trainings took, by part: {listed}.",
        draw,
        height=70 + 30 * len(spent),
    )


def _label(records: Records, arm: str) -> str:
    return wording.shorten(wording.arm_label(records, arm), 22)


def _unit(seconds: float) -> tuple[str, float]:
    if seconds < 180:
        return "seconds", 1.0
    return ("minutes", 60.0) if seconds < 3 * 3600 else ("hours", 3600.0)


def _table(records: Records, spent: list[_Spent]) -> Table:
    def row(each: _Spent) -> Row:
        values: list[Any] = [*each.parts.values(), each.total_s, each.saved_s or None]
        return Row(
            (
                wording.arm_label(records, each.arm),
                f"{each.trainings:,}",
                *(cells.seconds(value) for value in values),
            )
        )

    rows = list(map(row, spent))
    if (took_s := (records.profile or {}).get("took_s")) is not None:
        parts = [wording.MISSING] * len(_PARTS)
        took = cells.seconds(took_s)
        rows.append(Row(("profile", wording.MISSING, *parts, took, wording.MISSING)))
    return Table(
        id="time-spent",
        caption="Time by arm, and what pruning saved",
        columns=(
            Column("Arm"),
            Column("Trainings", True),
            *(Column(label, True, "s") for label in _PARTS.values()),
            Column("Total", True, "s"),
            Column("Saved by pruning", True, "s"),
        ),
        rows=tuple(rows),
    )
