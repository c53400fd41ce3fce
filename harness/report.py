"""Rebuild the report of a study from its run directory: `python -m harness.report lstm_depth`.

It works for a study that still runs, and for a directory copied from another machine.
"""

from harness.core.signals import exit_at_once

if __name__ == "__main__":
    exit_at_once()  # the imports below take a second

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.core.console import application, run
from harness.core.errors import UserError
from harness.results import profile_file
from harness.results.records import read_records
from harness.results.run_directory import find
from reports.write import write_comparison, write_records

EXAMPLES = """Examples:

\b
  python -m harness.report lstm_depth              runs/lstm_depth/report.html again
  python -m harness.report copied/lstm_depth       any run directory
  python -m harness.report lstm_depth gru_depth    each, and runs/lstm_depth-vs-gru_depth.html
  python -m harness.report lstm_depth --profile other/profile.json
                                                   another machine's step times beside its own
"""

app = application()


@app.command(epilog=EXAMPLES)
def report(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME|DIR...", help="Studies by name, or run directories."),
    ],
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")
    ] = Path("runs"),
    profile: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Another machine's profile.json to show; repeatable."),
    ] = None,
) -> None:
    """Rebuild report.html and the CSV tables from the run directory, and print the page's path.

    For several studies, also write a page that compares them: its path is the last line.
    """
    # Find all before writing any: a wrong name then changes nothing.
    profiles = [read_profile(file) for file in profile or []]
    roots = list(
        {root.resolve(): root for root in (find(n, runs_directory) for n in names)}.values()
    )
    studies = [replace(read_records(root), other_profiles=tuple(profiles)) for root in roots]
    for records in studies:
        if records.manifest.profiled and records.profile is None:
            raise UserError(
                f"{records.root} had a profile.json, which is missing; put it back, or make it "
                f"again with: python -m harness.profile {records.root}"
            )
    for records in studies:
        # Only reports below --runs are listed on the index page there.
        listed = records.root.absolute().parent == runs_directory.absolute()
        print(write_records(records, listed=listed))
    if len(studies) > 1:
        print(write_comparison(studies, runs_directory))


def read_profile(file: Path) -> dict[str, Any]:
    """A profile.json, or the one in a directory; raises UserError where there is none."""
    found = None
    with contextlib.suppress(UserError):  # whatever it is, it is no profile
        found = profile_file.read_profile(file / "profile.json" if file.is_dir() else file)
    if found is None:
        raise UserError(
            f"--profile {file}: not a profile.json with entries; make one there with: "
            "python -m harness.profile"
        )
    return found


if __name__ == "__main__":
    run(app, "python -m harness.report")
