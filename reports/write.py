"""Write a run directory's report, tables and summary."""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.analysis import summary
from harness.core import files
from harness.results.records import Records, read_records
from harness.results.run_directory import RunDirectory
from harness.results.tables import write_tables

MAX_NAME_LENGTH = 150  # characters of a file name; file systems allow 255 bytes


def write(root: Path, *, listed: bool = True, profiles: Sequence[dict[str, Any]] = ()) -> Path:
    """Write a run directory's `tables/`, `report.html` and `summary.json`; returns the page's path.

    With `listed`, the list of all studies beside it, `index.html`, is written again, too, if
    possible. `profiles` are contents of profile.json from other machines, shown beside the study's
    own. Raises UserError if the directory has no study.
    """
    records = replace(read_records(root), other_profiles=tuple(profiles))
    return write_records(records, listed=listed)


def write_records(records: Records, *, listed: bool, live: bool = False) -> Path:
    """The same as `write`, for records that were already read.

    A `live` page is that of a running study: it loads itself again until another replaces it.
    """
    from reports import page  # charts take a second to import
    from reports.pages import index

    root, directory = records.root, RunDirectory(records.root)
    text = page.render(records, now=files.now(), live=live)
    write_tables(records)
    summary.write_verdicts(records)
    files.write_atomically(directory.report, text)
    outcome = summary.summarise(records, str(directory.report))
    files.write_atomically(root / "summary.json", files.to_json(outcome) + "\n")
    if listed:
        with contextlib.suppress(OSError):  # a convenience: no study may fail because of it
            index.write(root.absolute().parent, now=files.now())
    return directory.report


def write_comparison(studies: Sequence[Records], folder: Path) -> Path:
    """Write into `folder` the page that compares these studies; returns its path."""
    from reports.pages import comparison, index

    name = index.VERSUS.join(records.root.resolve().name for records in studies)
    if len(name) > MAX_NAME_LENGTH:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: MAX_NAME_LENGTH - 9]}-{digest}"
    file = folder / f"{name}.html"
    files.write_atomically(file, comparison.render(studies, now=files.now()))
    return file
