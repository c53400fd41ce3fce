"""Rebuild the report of a study from its run directory: `python -m harness.report lstm_depth`.

Works for a study still under way, and for a directory copied from another machine.
"""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from harness import runs, summary
from harness.console import application, run
from harness.errors import UserError
from harness.names import unknown

EXAMPLES = """Examples:

\b
  python -m harness.report lstm_depth              runs/lstm_depth/report.html anew
  python -m harness.report copied/lstm_depth       any run directory
  python -m harness.report lstm_depth gru_depth    one after another
"""

app = application()


def write(root: Path, *, listed: bool = True) -> Path:
    """Write a run directory's `tables/`, `report.html` and `summary.json`; returns the page's path.

    With `listed` the list of all studies beside it, `index.html`, is renewed as well, where that
    can be written.
    Raises UserError where the directory holds no study.
    """
    from reports import index_page, page  # charts take a second to import

    directory = runs.RunDirectory(root)
    records = runs.read_records(root)
    text = page.render(records, now=runs.now())
    runs.write_tables(records)
    summary.write_verdicts(records)
    runs.write_atomically(directory.report, text)
    outcome = summary.summarise(records, str(directory.report))
    runs.write_atomically(root / "summary.json", runs.to_json(outcome) + "\n")
    if listed:
        with contextlib.suppress(OSError):  # a convenience; no study must fail for it
            index_page.write(root.absolute().parent, now=runs.now())
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
) -> None:
    """Rebuild report.html and the CSV tables from what is on file, and print the page's path."""
    # All are found before any is written.
    for root in [find(name, runs_directory) for name in names]:
        # Beside a directory copied to somewhere, nobody expects a list.
        print(write(root, listed=root.absolute().parent == runs_directory.absolute()))


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
