"""Rebuild the report of a study from its run directory: `python -m harness.report lstm_depth`.

Works for a study still under way, and for a directory copied from another machine.
"""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.analysis import summary
from harness.core.console import application, run
from harness.core.errors import UserError
from harness.names import unknown
from harness.results import records as runs

EXAMPLES = """Examples:

\b
  python -m harness.report lstm_depth              runs/lstm_depth/report.html anew
  python -m harness.report copied/lstm_depth       any run directory
  python -m harness.report lstm_depth gru_depth    each, and runs/lstm_depth-vs-gru_depth.html
  python -m harness.report lstm_depth --profile other/profile.json
                                                   another machine's step times beside its own
"""

LONGEST_NAME = 150  # characters of a file name, far below what file systems take

app = application()


def write(root: Path, *, listed: bool = True, profiles: Sequence[dict[str, Any]] = ()) -> Path:
    """Write a run directory's `tables/`, `report.html` and `summary.json`; returns the page's path.

    With `listed` the list of all studies beside it, `index.html`, is renewed as well, where that
    can be written. `profiles` are profile.json of other machines, shown beside the study's own.
    Raises UserError where the directory holds no study.
    """
    records = replace(runs.read_records(root), other_profiles=tuple(profiles))
    return write_records(records, listed=listed)


def write_records(records: runs.Records, *, listed: bool) -> Path:
    """`write`, of records that were read before."""
    from reports import page  # charts take a second to import
    from reports.pages import index

    root, directory = records.root, runs.RunDirectory(records.root)
    text = page.render(records, now=runs.now())
    runs.write_tables(records)
    summary.write_verdicts(records)
    runs.write_atomically(directory.report, text)
    outcome = summary.summarise(records, str(directory.report))
    runs.write_atomically(root / "summary.json", runs.to_json(outcome) + "\n")
    if listed:
        with contextlib.suppress(OSError):  # a convenience; no study must fail for it
            index.write(root.absolute().parent, now=runs.now())
    return directory.report


@app.command(epilog=EXAMPLES)
def report(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME|DIR...", help="Studies by name, or run directories."),
    ],
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories lie.")
    ] = Path("runs"),
    profile: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Another machine's profile.json to show; repeatable."),
    ] = None,
) -> None:
    """Rebuild report.html and the CSV tables from what is on file, and print the page's path.

    Of several studies, a page that compares them as well: its path is the last line.
    """
    # All are found before any is written.
    profiles = [read_profile(file) for file in profile or []]
    roots = list(
        {root.resolve(): root for root in (find(n, runs_directory) for n in names)}.values()
    )
    studies = [replace(runs.read_records(root), other_profiles=tuple(profiles)) for root in roots]
    for records in studies:
        # Beside a directory copied to somewhere, nobody expects a list.
        listed = records.root.absolute().parent == runs_directory.absolute()
        print(write_records(records, listed=listed))
    if len(studies) > 1:
        print(write_comparison(studies, runs_directory))


def write_comparison(studies: Sequence[runs.Records], folder: Path) -> Path:
    """Write into `folder` the page that compares these studies; returns its path."""
    from reports import comparison_page

    name = "-vs-".join(records.root.resolve().name for records in studies)
    if len(name) > LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        name = f"{name[: LONGEST_NAME - 9]}-{digest}"
    file = folder / f"{name}.html"
    runs.write_atomically(file, comparison_page.render(studies, now=runs.now()))
    return file


def read_profile(file: Path) -> dict[str, Any]:
    """A profile.json, or that of a directory; raises UserError where there is none."""
    found = runs.read_profile(file / "profile.json" if file.is_dir() else file)
    if found is None:
        raise UserError(
            f"--profile {file}: not a profile.json with entries; make one there with: "
            "python -m harness.profile"
        )
    return found


def find(name: str, runs_directory: Path) -> Path:
    """The run directory meant by a study's name or a path; raises UserError if there is none."""
    for root in (runs_directory / name, Path(name)):
        if runs.RunDirectory(root).manifest.is_file():
            return root
    known = [path.parent.name for path in runs_directory.glob("*/manifest.json")]
    if not known:
        raise UserError(
            f"no study named {name!r}: no run directory in {runs_directory}; start one with: "
            "python -m harness.study NAME, or name another place with --runs"
        )
    raise unknown("study", name, known)


if __name__ == "__main__":
    run(app, "python -m harness.report")
