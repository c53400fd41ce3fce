"""The verbs `harness rename` and `harness remove`: a study's name, and its end."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.commands import arguments
from harness.core.errors import UserError
from harness.results.run_directory import find


def rename(
    name: arguments.Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    runs_directory: arguments.Runs = Path("runs"),
) -> None:
    """Give a study another name; resume it with --name NEW then. Refused while it runs."""
    root = find(name, runs_directory, or_quick=False)
    from harness.study import moved

    target = moved.rename(root, new)
    print(runs_directory / target.name if root.parent == runs_directory else target)


def remove(
    name: arguments.Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    runs_directory: arguments.Runs = Path("runs"),
) -> None:
    """Delete a study with all that it found. Asks first, and is refused while the study runs."""
    root = find(name, runs_directory, or_quick=False)
    from harness.study import moved

    if not yes:
        if sys.stdin is None or not sys.stdin.isatty():
            raise UserError(f"remove: deletes {root} for good; add --yes if that is meant")
        print(moved.described(root))
        if not typer.confirm("Delete it for good?"):
            print("nothing was deleted")
            return
    moved.remove(root)
    print(f"{root} is deleted")
