"""A profile as charts and tables: the same on its own page and in a study's report."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from reports import figures, scales, wording
from reports.content import Column, Data, Figure, Row, Section, Table

Entries = Sequence[Mapping[str, Any]]


def build(profile: Mapping[str, Any], *, identity: str = "profile", title: str) -> Section:
    entries: Entries = profile["entries"]
    unstable = sum(bool(entry["step_ms"]["unstable"]) for entry in entries)
    notices = []
    if unstable:
        notices.append(
            f"Unstable: {unstable} of {len(entries)} step times spread by more than 10\u00a0% "
            "(interquartile range over median); do not compare them."
        )
    notices += [
        f"Not measured: {each['configuration']}: {each['reason']}" for each in profile["failed"]
    ]
    processes = wording.plural(int(profile["processes"]), "fresh process").replace(
        "processs", "processes"
    )
    tables = [_table(identity, entries)]
    if profile["scaling"]:
        tables.append(_scaling(identity, profile["scaling"]))
    return Section(
        id=identity,
        title=title,
        text=(
            "Time of one training step, warm-up left out: the median of blocks of steps in "
            f"{processes}, with the 5th and 95th percentile.",
        ),
        figures=_figures(identity, entries),
        tables=tuple(tables),
        notices=tuple(notices),
    )


def _figures(identity: str, entries: Entries) -> tuple[Figure, ...]:
    """Step time against depth, a panel a device."""
    keys = list(dict.fromkeys(_series(entry) for entry in entries))
    panels = []
    for device in dict.fromkeys(str(entry["device"]) for entry in entries):
        ours = [entry for entry in entries if entry["device"] == device]

        def draw(axes: Axes, ours: Entries = ours, device: str = device) -> None:
            for key in keys:
                points = sorted(
                    (entry["depth"], entry["step_ms"]["median"])
                    for entry in ours
                    if _series(entry) == key
                )
                style = figures.arm_style(keys, key)
                if points:
                    axes.plot(*zip(*points, strict=True), color=style.colour, linewidth=1.2)
                    axes.scatter(
                        *zip(*points, strict=True), color=style.colour, marker=style.marker,
                        zorder=3, clip_on=False,
                    )  # fmt: skip
            scales.whole(axes, "x")
            scales.logarithmic(axes, "y", [entry["step_ms"]["median"] for entry in ours])
            axes.set_xlabel("Depth")
            axes.set_title(f"Training step on the {device.upper()}, ms")

        low = min(ours, key=lambda entry: entry["step_ms"]["median"])
        high = max(ours, key=lambda entry: entry["step_ms"]["median"])
        alt = (
            f"Line chart of step time against depth on the {device.upper()}: from "
            f"{wording.milliseconds(low['step_ms']['median'])} at depth {low['depth']} to "
            f"{wording.milliseconds(high['step_ms']['median'])} at depth {high['depth']}."
        )
        panels.append(figures.panel(f"{identity}-{device}", alt, draw))
    legend = tuple(
        figures.marker_key(key, figures.arm_style(keys, key), "complete") for key in keys
    )
    caption = "Medians, on a logarithmic scale; lines join equal units, lengths and batches."
    columns = (
        "cell",
        "depth",
        "units",
        "sequence_length",
        "batch_size",
        "backend",
        "device",
        "path",
    )
    data = Data(
        (*columns, "step_ms", "p05", "p95"),
        tuple(
            (
                *(wording.value_text(e[c]) if c == "units" else e[c] for c in columns),
                *(e["step_ms"][key] for key in ("median", "p05", "p95")),
            )
            for e in entries
        ),
    )
    return (Figure(f"{identity}-figure", tuple(panels), caption, data, legend),)


def _table(identity: str, entries: Entries) -> Table:
    titles = ("Units", "Length", "Batch", "Step, ms", "5 to 95 %", "n", "Compile, s", "Parameters",
              "GFLOP/s", "µs an iteration", "Memory, MiB")  # fmt: skip
    columns = (
        Column("Cell, depth"), Column("Backend, device, path"),
        *(Column(title, numeric=True) for title in titles), Column("Spread"), Column("Best of"),
    )  # fmt: skip
    rows = [
        Row(
            (
                f"{entry['cell']}, {entry['depth']}",
                f"{entry['backend']}, {entry['device']}, {entry['path']}",
                wording.value_text(entry["units"]),
                str(entry["sequence_length"]),
                str(entry["batch_size"]),
                _number(entry["step_ms"]["median"]),
                f"{_number(entry['step_ms']['p05'])} to {_number(entry['step_ms']['p95'])}",
                str(entry["step_ms"]["n"]),
                _number(entry["compile_s"]),
                wording.count(entry["parameters"]),
                _number(entry["gflops"]),
                _number(entry["us_per_iteration"]),
                wording.count(entry["peak_rss_mb"]),
                "unstable" if entry["step_ms"]["unstable"] else "stable",
                ", ".join(entry["arms"]) or wording.MISSING,
            )
        )
        for entry in entries
    ]
    caption = (
        "GFLOP/s count matrix products only; memory is the peak of the whole process, libraries "
        "included."
    )
    return Table(f"{identity}-table", caption, columns, tuple(rows))


def _scaling(identity: str, scaling: Sequence[Mapping[str, Any]]) -> Table:
    rows = []
    for fit in scaling:
        for axis, found in fit["exponents"].items():
            low, high = found["ci95"]
            interval = wording.MISSING if low is None else f"{low:.2f} to {high:.2f}"
            where = f"{fit['cell']}, {fit['backend']}, {fit['device']}"
            rows.append(
                Row((where, wording.spoken(axis), f"{found['exponent']:.2f}", interval,
                     str(fit["n"])))
            )  # fmt: skip
    return Table(
        f"{identity}-scaling",
        "Exponents: step time grows as the quantity to this power, within what was measured",
        (
            Column("Cell, backend, device"), Column("Quantity"), Column("Exponent", numeric=True),
            Column("95 % interval", numeric=True), Column("Configurations", numeric=True),
        ),
        tuple(rows),
    )  # fmt: skip


def _series(entry: Mapping[str, Any]) -> str:
    return (
        f"{entry['cell']} {wording.value_text(entry['units'])} units, "
        f"{entry['sequence_length']} words, batch {entry['batch_size']}, {entry['backend']}"
    )


def _number(value: Any) -> str:
    return wording.MISSING if wording.missing(value) else wording.significant(value, 3)
