"""Charts of a profile: step time against depth, throughput against batch size."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes

from reports import wording
from reports.charts import chart, scales
from reports.content import Data, Figure, Panel

Entries = Sequence[Mapping[str, Any]]
Points = Mapping[str, Sequence[tuple[float, float]]]  # by series
_COLUMNS = ("cell", "depth", "units", "sequence_length", "batch_size", "backend", "device", "path")


def step_time(identity: str, machines: Mapping[str, Entries]) -> Figure:
    """Step time against depth, a panel for each device of each machine; names may be empty."""
    series = _series(machines, _by_depth)
    panels: list[Panel] = []
    for machine, device, entries in _devices(machines):
        where = " of ".join(part for part in (f"the {device.upper()}", machine) if part)
        low = min(entries, key=_median)
        high = max(entries, key=_median)
        panels.append(
            _panel(
                f"{identity}-{len(panels)}",
                f"Line chart of step time against depth on {where}: from "
                f"{wording.milliseconds(_median(low))} at depth {low['depth']} to "
                f"{wording.milliseconds(_median(high))} at depth {high['depth']}.",
                {
                    name: sorted((e["depth"], _median(e)) for e in entries if _by_depth(e) == name)
                    for name in series
                },
                title=f"Training step on {wording.shorten(where, 32)}, ms",
                label="Depth",
                limits=[_median(e) for each in machines.values() for e in each],
                logarithmic=False,
            )
        )
    caption = "Medians, on a logarithmic scale; a line joins equal units, lengths and batch sizes."
    return Figure(
        identity, tuple(panels), caption, _data(machines, "step_ms", _median), _legend(series)
    )


def throughput(identity: str, machines: Mapping[str, Entries]) -> Figure | None:
    """Sequences per second against batch size; None if no machine has measured several."""
    machines = {
        machine: entries
        for machine, entries in machines.items()
        if len({entry["batch_size"] for entry in entries}) > 1
    }
    if not machines:
        return None
    series = _series(machines, _by_batch)
    panels: list[Panel] = []
    for machine, device, entries in _devices(machines):
        where = " of ".join(part for part in (f"the {device.upper()}", machine) if part)
        best = max(entries, key=_throughput)
        panels.append(
            _panel(
                f"{identity}-{len(panels)}",
                f"Line chart of throughput against batch size on {where}: at most "
                f"{wording.count(_throughput(best))} sequences per second, at a batch size of "
                f"{best['batch_size']}.",
                {
                    name: sorted(
                        (e["batch_size"], _throughput(e)) for e in entries if _by_batch(e) == name
                    )
                    for name in series
                },
                title=f"Sequences per second on {wording.shorten(where, 32)}",
                label="Batch size, sequences",
                limits=[_throughput(e) for each in machines.values() for e in each],
                logarithmic=True,
            )
        )
    caption = (
        "Sequences trained per second, both on logarithmic scales. Where a line stops rising, a "
        "larger batch saves no more time."
    )
    data = _data(machines, "sequences_per_s", _throughput)
    return Figure(identity, tuple(panels), caption, data, _legend(series))


def _panel(
    identity: str,
    alt: str,
    points: Points,
    *,
    title: str,
    label: str,
    limits: Sequence[float],
    logarithmic: bool,
) -> Panel:
    """One line a series of `points`; `limits` are the values of all panels, for one scale."""

    def draw(axes: Axes) -> None:
        for name, line in points.items():
            style = chart.arm_style(list(points), name)
            if line:
                xs, ys = zip(*line, strict=True)
                axes.plot(xs, ys, color=style.colour, linewidth=1.2)
                axes.scatter(
                    xs, ys, color=style.colour, marker=style.marker, zorder=3, clip_on=False
                )
        if logarithmic:
            sizes = sorted({x for each in points.values() for x, _ in each})
            scales.logarithmic(axes, "x", sizes, round_values=sizes)
        else:
            scales.whole(axes, "x")
        scales.logarithmic(axes, "y", limits)
        axes.set_xlabel(label)
        axes.set_title(title)

    return chart.panel(identity, alt, draw)


def _devices(machines: Mapping[str, Entries]) -> list[tuple[str, str, Entries]]:
    """(machine, device, its entries)."""
    return [
        (machine, device, [entry for entry in entries if entry["device"] == device])
        for machine, entries in machines.items()
        for device in dict.fromkeys(str(entry["device"]) for entry in entries)
    ]


def _series(machines: Mapping[str, Entries], name: Callable[[Mapping[str, Any]], str]) -> list[str]:
    return list(dict.fromkeys(name(entry) for entries in machines.values() for entry in entries))


def _legend(series: Sequence[str]) -> Any:
    return tuple(
        chart.marker_key(name, chart.arm_style(series, name), "complete") for name in series
    )


def _data(
    machines: Mapping[str, Entries], title: str, value: Callable[[Mapping[str, Any]], float]
) -> Data:
    named = any(machines)
    return Data(
        (*(("machine",) if named else ()), *_COLUMNS, title, "step_ms_p05", "step_ms_p95"),
        tuple(
            (
                *((machine,) if named else ()),
                *(wording.value_text(e[c]) if c == "units" else e[c] for c in _COLUMNS),
                value(e),
                e["step_ms"]["p05"],
                e["step_ms"]["p95"],
            )
            for machine, entries in machines.items()
            for e in entries
        ),
    )


def _median(entry: Mapping[str, Any]) -> float:
    return float(entry["step_ms"]["median"])


def _throughput(entry: Mapping[str, Any]) -> float:
    return 1000.0 * float(entry["batch_size"]) / _median(entry)


def _by_depth(entry: Mapping[str, Any]) -> str:
    return f"{_shape(entry)}, batch {entry['batch_size']}, {entry['backend']}"


def _by_batch(entry: Mapping[str, Any]) -> str:
    return f"{_shape(entry)}, depth {entry['depth']}, {entry['backend']}"


def _shape(entry: Mapping[str, Any]) -> str:
    units = wording.value_text(entry["units"])
    return f"{entry['cell']} {units} units, length {entry['sequence_length']}"
