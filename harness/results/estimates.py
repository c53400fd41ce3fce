"""A study's estimated time, made before it began, compared with its real time. No Keras."""

from pathlib import Path
from typing import Any

from harness.core import files
from harness.core.shapes import mismatch
from harness.results.manifest import ESTIMATE, Manifest
from harness.results.records import Records
from harness.results.run_directory import RunDirectory

OLD_FILE = "estimate.json"


def write(
    directory: RunDirectory, *, search_s: float, replicates_s: float, workers: int, profile: str
) -> None:
    """Write the estimate made before the first trial; `profile` is the file it is based on."""
    record = {
        "seconds": search_s + replicates_s,
        "search_s": search_s,
        "replicates_s": replicates_s,
        "workers": workers,
        "profile": profile,
        "interrupted": False,
    }
    directory.update_manifest(estimate=record)


def interrupted(directory: RunDirectory) -> None:
    """Note that the study was resumed or extended: its estimate cannot be compared any more."""
    record = _read(directory.read_manifest(), directory.root)
    if record and not record.get("interrupted"):
        directory.update_manifest(estimate={**record, "interrupted": True})


def compare(records: Records) -> dict[str, Any] | None:
    """The estimated and the elapsed time, in seconds, and the estimate's relative error.

    `elapsed_s` is wall-clock time, from the start of the first training to the end of the last one.
    None without an estimate, after an interruption, or while the study is unfinished.
    """
    import pandas as pd

    record = _read(records.manifest, records.root)
    if not record or record.get("interrupted") or not records.finished:
        return None
    tables = [records.trials, records.replicates]
    starts = pd.to_datetime(pd.concat([t["started"] for t in tables]), errors="coerce", utc=True)
    ends = pd.to_datetime(pd.concat([t["finished"] for t in tables]), errors="coerce", utc=True)
    if starts.isna().all() or ends.isna().all():
        return None
    elapsed = float((ends.max() - starts.min()).total_seconds())
    estimated = float(record["seconds"])
    if elapsed <= 0 or estimated <= 0:
        return None
    return {
        "estimated_s": estimated,
        "elapsed_s": elapsed,
        "error": estimated / elapsed - 1.0,
        "profile": record["profile"],
    }


def _read(manifest: Manifest, root: Path) -> dict[str, Any] | None:
    """The estimate on record; versions before 2026-12 kept it in a file of its own."""
    record = manifest.get("estimate") or files.read_object(root / OLD_FILE)
    return record if record and mismatch(record, ESTIMATE) is None else None
