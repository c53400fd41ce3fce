"""A profile as charts and tables: the same on its own page and in a study's report."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports import wording
from reports.charts import profile as profile_figures
from reports.content import Column, Row, Section, Table
from reports.crossover import Crossover, crossovers

Entries = Sequence[Mapping[str, Any]]


def build(profile: Mapping[str, Any], *, identity: str = "profile", title: str) -> Section:
    entries: Entries = profile["entries"]
    unstable = sum(bool(entry["step_ms"]["unstable"]) for entry in entries)
    notices = []
    if unstable:
        notices.append(
            f"Unstable: {unstable} of {len(entries)} step times vary by more than 10\u00a0% "
            "(interquartile range over median); do not compare them."
        )
    notices += [
        f"Not measured: {each['configuration']}: {each['reason']}" for each in profile["failed"]
    ]
    if profile.get("warm"):
        text = (
            "Time of one training step: the median of blocks of steps in a worker that had just "
            "trained, with the rest of the machine idle, and the 5th and 95th percentile. Memory "
            "includes what the trainings before have left. “harness profile” measures for longer, "
            "in fresh processes."
        )
    else:
        number = int(profile["processes"])
        processes = "1 fresh process" if number == 1 else f"{number} fresh processes"
        text = (
            "Time of one training step, without warm-up: the median of blocks of steps in "
            f"{processes}, with the 5th and 95th percentile."
        )
    tables = [_table(identity, entries)]
    if profile["scaling"]:
        tables.append(_scaling(identity, profile["scaling"]))
    if found := crossovers(entries):
        tables.append(_crossovers(identity, found))
    throughput = profile_figures.throughput(f"{identity}-throughput", {"": entries})
    return Section(
        id=identity,
        title=title,
        text=(text,),
        figures=(
            profile_figures.step_time(f"{identity}-figure", {"": entries}),
            *((throughput,) if throughput else ()),
        ),
        tables=tuple(tables),
        notices=tuple(notices),
    )


def _table(identity: str, entries: Entries) -> Table:
    titles = ("Units", "Length", "Batch", "Step, ms", "5 to 95 %", "n", "Compile, s", "Parameters",
              "GFLOP/s", "µs per iteration", "Memory, MiB")  # fmt: skip
    columns = (
        Column("Cell, depth"), Column("Backend, device, path"),
        *(Column(title, numeric=True) for title in titles), Column("Stability"), Column("Best of"),
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
        "GFLOP/s count matrix products only. Memory is the peak of the whole process, with its "
        "libraries."
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
                Row((where, wording.label(axis), f"{found['exponent']:.2f}", interval,
                     str(fit["n"])))
            )  # fmt: skip
    return Table(
        f"{identity}-scaling",
        "Exponents: step time grows with this power of the quantity, within the measured range",
        (
            Column("Cell, backend, device"), Column("Quantity"), Column("Exponent", numeric=True),
            Column("95 % interval", numeric=True), Column("Configurations", numeric=True),
        ),
        tuple(rows),
    )  # fmt: skip


def _crossovers(identity: str, found: Sequence[Crossover]) -> Table:
    def verdict(each: Crossover) -> str:
        low, high = (wording.count(size) for size in each.sizes)
        if each.below is None:
            return f"the CPU is faster up to {high}, the largest size measured"
        if each.below == 0:
            return f"the GPU is faster from {low} on, the smallest size measured"
        mixed = "; the faster device changes more than once" if each.mixed else ""
        return f"below {wording.significant(each.below, 2)} the CPU is faster{mixed}"

    return Table(
        f"{identity}-crossover",
        "CPU against GPU, by units × batch size",
        (
            Column("Cell"), Column("Depth", numeric=True), Column("Length", numeric=True),
            Column("Backend"), Column("Units × batch size"),
        ),
        tuple(
            Row(
                (each.cell, str(each.depth), str(each.sequence_length), each.backend, verdict(each))
            )
            for each in found
        ),
    )  # fmt: skip


def _number(value: Any) -> str:
    return wording.MISSING if wording.missing(value) else wording.significant(value, 3)
