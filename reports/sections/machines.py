"""Profiles of other machines beside the study's own: side by side, never pooled."""

from collections.abc import Mapping
from typing import Any

from harness.results.records import Records
from harness.spec.hyperparameters import OPTIONS
from reports import wording
from reports.charts import profile as profile_figures
from reports.content import Cell, Column, Row, Section, Table, Value

ORDER = 58
_SHAPE = ("cell", "depth", "units", "sequence_length", "batch_size", "bidirectional")
_ENVIRONMENT = ("cpu", "cores", "gpus", "memory_gb", "platform", "python", "packages", "load_1m",
                "steal", "governor")  # fmt: skip

Profiles = Mapping[str, Mapping[str, Any]]


def build(records: Records) -> Section | None:
    if not records.other_profiles:
        return None
    profiles = named([*([records.profile] if records.profile else []), *records.other_profiles])
    entries = {name: profile["entries"] for name, profile in profiles.items()}
    shared = _shared(profiles)
    throughput = profile_figures.throughput("machines-throughput", entries)
    return Section(
        id="machines",
        title="The same on other machines",
        text=(
            f"Profiles of {wording.listing(list(profiles))}, each measured on that machine. "
            "Numbers from different machines are compared here, but never pooled.",
        ),
        notices=()
        if shared
        else (
            "No configuration was measured on more than one of these machines. To compare them, "
            "profile a copy of this run directory on the other machine with "
            f"python -m harness.profile {records.study}, or profile the same grid on each.",
        ),
        figures=(
            profile_figures.step_time("machines-figure", entries),
            *((throughput,) if throughput else ()),
        ),
        tables=(*((_comparison(profiles, shared),) if shared else ()), _environments(profiles)),
    )


def named(profiles: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By processor and GPUs; of several equal names, all but the first get a number."""
    found: dict[str, dict[str, Any]] = {}
    for profile in profiles:
        environment = profile["environment"]
        gpus = [str(name) for name in environment.get("gpus") or []]
        name = " with ".join([str(environment.get("cpu") or "a processor"), *gpus[:1]])
        number, candidate = 2, name
        while candidate in found:
            number, candidate = number + 1, f"{name} ({number})"
        found[candidate] = profile
    return found


def _shared(profiles: Profiles) -> dict[tuple[Any, ...], dict[str, list[Mapping[str, Any]]]]:
    """Configurations measured on more than one machine → machine → its entries."""
    found: dict[tuple[Any, ...], dict[str, list[Mapping[str, Any]]]] = {}
    for name, profile in profiles.items():
        for entry in profile["entries"]:
            shape = tuple(
                tuple(value) if isinstance(value := entry.get(key), list) else value
                for key in (*_SHAPE, *OPTIONS)
            )
            found.setdefault(shape, {}).setdefault(name, []).append(entry)
    return {shape: machines for shape, machines in found.items() if len(machines) > 1}


def _comparison(
    profiles: Profiles, shared: Mapping[tuple[Any, ...], Mapping[str, list[Mapping[str, Any]]]]
) -> Table:
    """One row per configuration, machine and path; ratios are to the first machine's time."""
    rows = []
    for shape, machines in shared.items():
        cell, depth, units, length, batch, both, *others = shape
        options = "".join(
            f", {wording.label(name)} {wording.value_text(value)}"
            for name, value in zip(OPTIONS, others, strict=True)
            if value is not None
        )
        what = (
            f"{cell}, depth {depth}, {wording.value_text(units)} units, length {length}, "
            f"batch {batch}{', bidirectional' if both else ''}{options}"
        )
        base = next(iter(machines.values()))[0]["step_ms"]["median"]
        for name, entries in machines.items():
            for entry in entries:
                step = entry["step_ms"]
                cells: tuple[Cell, ...] = (
                    what,
                    name,
                    f"{entry['backend']}, {entry['device']}, {entry['path']}",
                    Value(wording.significant(step["median"], 3), step["median"]),
                    f"{wording.significant(step['p05'], 3)} to "
                    f"{wording.significant(step['p95'], 3)}",
                    Value(f"{wording.significant(step['median'] / base, 3)}×",
                          step["median"] / base),
                    "unstable" if step["unstable"] else "stable",
                )  # fmt: skip
                rows.append(Row(cells))
    return Table(
        "machines-table",
        "Step time of the configurations that more than one machine has measured",
        (
            Column("Configuration"), Column("Machine"), Column("Backend, device, path"),
            Column("Step, ms", numeric=True, unit="ms"), Column("5 to 95 %", numeric=True),
            Column("Against the first", numeric=True), Column("Stability"),
        ),
        tuple(rows),
    )  # fmt: skip


def _environments(profiles: Profiles) -> Table:
    def text(value: Any) -> str:
        return wording.MISSING if value in (None, [], "") else wording.value_text(value)

    return Table(
        "machines-environment",
        "The machines",
        (Column("Item"), *(Column(name) for name in profiles)),
        tuple(
            Row(
                (
                    wording.label(key),
                    *(text(profile["environment"].get(key)) for profile in profiles.values()),
                )
            )
            for key in _ENVIRONMENT
            if any(profile["environment"].get(key) for profile in profiles.values())
        ),
    )
