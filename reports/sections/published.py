"""Published figures, epoch by epoch, beside the replicates of the same protocol."""

from matplotlib.axes import Axes

from harness.analysis import published
from harness.analysis.published import Cell
from harness.results.records import Records
from reports import wording
from reports.charts import chart, scales
from reports.content import Cell as TableCell
from reports.content import Column, Data, Figure, Panel, Row, Section, Table, Value

ORDER = 25
_TITLES = {
    "val_loss": ("Validation loss", "", 1.0),
    "loss": ("Training loss", "", 1.0),
    "step_ms": ("Training step", "ms", 1.0),
}
_SCORES = {"val_accuracy": "Validation", "accuracy": "Training"}
_CHARTED = ("val_accuracy", "val_loss")


def build(records: Records) -> Section | None:
    if records.manifest.published.get("arms"):
        return _of_arms(records)
    found = published.by_epoch(records)
    measured = {m: e for m, e in found.items() if any(c.n for c in e.values())}
    if not measured:
        return None
    source = str(records.manifest.published.get("source") or "The published training")
    n = max(cell.n for epochs in measured.values() for cell in epochs.values())
    return Section(
        id="published",
        title="Beside the published figures",
        text=(
            f"{source}: one training, as its author printed it. Here the same protocol ran "
            f"{wording.counted(n, 'time')} on fresh seeds; the intervals are 95\u00a0% intervals "
            "over these seeds. Step times were measured on different machines.",
            _text(records, measured),
        ),
        figures=(
            Figure(
                id="published-figure",
                panels=tuple(
                    _panel(records, measure, measured[measure])
                    for measure in _CHARTED
                    if measure in measured
                ),
                caption="Thin lines are replicates, dots their means with intervals; crosses on "
                "the dashed line are the published figures.",
                data=Data(
                    ("measure", "epoch", "published", "mean", "low", "high", "replicates"),
                    tuple(
                        (measure, epoch, c.published, c.mean,
                         c.interval.low if c.interval else None,
                         c.interval.high if c.interval else None, c.n)
                        for measure, epochs in measured.items()
                        for epoch, c in epochs.items()
                    ),
                ),
                legend=(
                    chart.marker_key("mean of the replicates", _STYLE, "best"),
                    chart.line_key("published", chart.INK, ".4 .3"),
                ),
            ),
        ),
        tables=(_table(records, measured),),
    )  # fmt: skip


def _of_arms(records: Records) -> Section | None:
    """A table of the arms that were published, in the epoch that is scored."""
    found = published.by_arm(records)
    measures = {measure for cells in found.values() for measure, cell in cells.items() if cell.n}
    if not measures:
        return None
    source = str(records.manifest.published.get("source") or "The published trainings")
    columns, rows = [Column("Arm")], []
    listed = [measure for measure in _TITLES if measure in measures]
    for measure in listed:
        columns += _columns(records, measure)
    for arm in records.arms:
        row: list[TableCell] = [wording.arm_label(records, arm)]
        for measure in listed:
            row += _cells(found.get(arm, {}).get(measure), _title(records, measure)[2])
        rows.append(Row(tuple(row)))
    return Section(
        id="published",
        title="Beside the published figures",
        text=(
            f"{source}. Here the same protocol ran on fresh seeds; the intervals are 95\u00a0% "
            "intervals over these seeds. Figures are those of the epoch that is scored.",
        ),
        tables=(Table("published-table", "Arm by arm", tuple(columns), tuple(rows)),),
    )


def _columns(records: Records, measure: str) -> list[Column]:
    """The columns of `_cells`."""
    title, unit, _ = _title(records, measure)
    return [
        Column(f"{title}, published", True, unit),
        Column("mean here", True, unit),
        Column("95\u00a0% interval", True, unit),
    ]


def _cells(cell: Cell | None, factor: float) -> list[TableCell]:
    """Published figure, mean and interval of a cell."""
    if cell is None:
        return [wording.MISSING] * 3
    ends = cell.interval
    return [
        Value(_number(cell.published, factor), cell.published * factor),
        wording.MISSING
        if cell.mean is None
        else Value(_number(cell.mean, factor), cell.mean * factor),
        wording.MISSING
        if ends is None
        else f"{_number(ends.low, factor)} to {_number(ends.high, factor)}",
    ]


_STYLE = chart.Style(chart.SERIES[0], "o")


def _title(records: Records, measure: str) -> tuple[str, str, float]:
    """A measure's title, its unit, and the factor from values to the unit."""
    if measure not in _SCORES:
        return _TITLES[measure]
    metric = records.validation_metric
    return f"{_SCORES[measure]} {metric.name}", metric.unit, metric.factor


def _text(records: Records, measured: dict[str, dict[int, Cell]]) -> str:
    measure = next(iter(measured))
    judged = [cell.inside for cell in measured[measure].values() if cell.inside is not None]
    if not judged:
        return "A single replicate has no interval to compare the published figures with."
    title = _lower(_title(records, measure)[0])
    return (
        f"The published {title} lies within the interval of the mean in {sum(judged)} of "
        f"{wording.counted(len(judged), 'epoch')}. A single training may well lie outside: it is "
        "the interval of the mean."
    )


def _panel(records: Records, measure: str, epochs: dict[int, Cell]) -> Panel:
    title, unit, factor = _title(records, measure)
    table = records.replicate_epochs
    table = table[(table["arm"] == records.arms[0]) & (table["epoch"] <= max(epochs))]

    def draw(axes: Axes) -> None:
        for _, ours in table.groupby(["search", "replicate"]):
            axes.plot(
                ours["epoch"], ours[measure] * factor, color=_STYLE.colour, linewidth=0.8, alpha=0.5
            )
        axes.plot(
            list(epochs), [cell.published * factor for cell in epochs.values()],
            color=chart.INK, marker="x", linestyle=(0, (4, 3)), linewidth=1.2, zorder=3.2,
        )  # fmt: skip
        for epoch, cell in epochs.items():
            if cell.mean is not None:
                ends = cell.interval and (cell.interval.low * factor, cell.interval.high * factor)
                chart.mean_mark(axes, epoch, cell.mean * factor, ends or None, _STYLE, upright=True)
        scales.whole(axes, "x")
        scales.linear(axes, "y")
        axes.set_xlabel("Epoch")
        axes.set_title(f"{title}, {unit}" if unit else title)

    listed = "; ".join(
        f"epoch {epoch}: {_number(cell.mean, factor)} here, "
        f"{_number(cell.published, factor)} published"
        for epoch, cell in epochs.items()
    )
    alt = f"Line chart of {_lower(title)}{f' in {unit}' if unit else ''} by epoch: {listed}."
    return chart.panel(f"published-{measure}", alt, draw)


def _table(records: Records, measured: dict[str, dict[int, Cell]]) -> Table:
    columns = [Column("Epoch", numeric=True)]
    for measure in measured:
        columns += _columns(records, measure)
    rows = []
    for epoch in range(1, 1 + max(max(epochs) for epochs in measured.values())):
        row: list[TableCell] = [str(epoch)]
        for measure, epochs in measured.items():
            row += _cells(epochs.get(epoch), _title(records, measure)[2])
        rows.append(Row(tuple(row)))
    return Table("published-table", "Epoch by epoch", tuple(columns), tuple(rows))


def _lower(title: str) -> str:
    """The title inside a sentence; `MAE` and `R²` stay as they are."""
    return title[:1].lower() + title[1:]


def _number(value: float | None, factor: float) -> str:
    if value is None:
        return wording.MISSING
    scaled = value * factor
    if factor == 100.0 or scaled >= 10:
        return f"{scaled:.1f}"
    return f"{scaled:.3f}" if scaled >= 0.1 else f"{scaled:.3g}"
