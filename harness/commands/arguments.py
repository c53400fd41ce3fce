"""Arguments that several verbs share."""

from pathlib import Path
from typing import Annotated

import typer

Name = Annotated[
    str, typer.Argument(metavar="NAME|DIR", help="A study by name, or a run directory.")
]
Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")]
