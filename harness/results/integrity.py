"""Whether a run directory's files are files and its folders folders, all of them inside it.

A link would be read or written somewhere else, so it is refused. The run directory itself may be
a link, and so may the folder of all run directories.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import UserError, shortened
from harness.results.training_folder import EVIDENCE, RESULT, STARTED

FILES = {
    RESULT, STARTED, *EVIDENCE, "manifest.json", "study.db", "lock", "report.html", "summary.json",
    "profile.json", "measurements.jsonl", "units.json", "table.json", "table.parquet",
    "trials.csv", "epochs.csv", "replicates.csv", "verdicts.csv", "profile.csv",
}  # fmt: skip
FOLDERS = {"trials", "replicates", "trainings", "tables", "best", "logs", "profile", "checkpoint",
           "units"}  # fmt: skip


def check_kinds(root: Path) -> None:
    """Raise UserError for a link, a folder in a file's place, and a file in a folder's place."""
    for entry in _entries(str(root)):
        wrong = _wrong_kind(entry)
        if wrong is not None:
            raise UserError(
                f"{shortened(entry.path)} is {wrong}; move it away and put the right one back, or "
                "give the study's command again, which mends what it can"
            )


def _wrong_kind(entry: "os.DirEntry[str]") -> str | None:
    if entry.is_symlink():
        return "a link"
    if entry.is_dir():
        return "a folder in place of a file" if entry.name in FILES else None
    if entry.name in FOLDERS:
        return "a file in place of a folder"
    # Reading a pipe would wait for ever.
    return None if entry.is_file() else "neither a file nor a folder"


def _entries(folder: str) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entries, key=lambda each: each.name)
    except FileNotFoundError:  # a running study has removed it just now
        return
    for entry in found:
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path)
