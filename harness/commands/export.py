"""Export a trained model from a run directory: `harness export lstm_depth --arm depth=2 -o DIR`.

The model of an arm's first replicate is kept. Beside it are its vocabulary, its hyperparameters and
a script that predicts. It has stock Keras layers only, so its use needs nothing of this package.
No Keras here.
"""

from pathlib import Path
from typing import Annotated

import typer

from harness.analysis.trained_model import check_files, copy_model, files_of, model_folder
from harness.commands import arguments
from harness.core.errors import UserError
from harness.results.run_directory import find


def export(
    name: arguments.Name,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where to put the files.")
    ],
    arm: Annotated[
        str | None,
        typer.Option(metavar="ARM", help="For example depth=2.  [default: the recommended arm]"),
    ] = None,
    runs_directory: arguments.Runs = Path("runs"),
) -> None:
    """Copy an arm's trained model, and all that its use takes, into a directory.

    There are its vocabulary, hyperparameters, a README, and predict.py (of a forecast forecast.py),
    which predicts with stock Keras alone.
    """
    source = model_folder(find(name, runs_directory), arm)
    check_files(source)
    try:
        if output.exists() and not output.is_dir():
            raise UserError(f"{output} is a file; give -o the name of a directory")
        taken = [file for file in files_of(source) if (output / file).exists()]
        if taken:
            listed = " and ".join(taken)
            raise UserError(f"{output} holds {listed} already; choose another directory")
        copy_model(source, output)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UserError(
            f"{str(output)[:200]}: can't be written ({reason}); give -o another directory"
        ) from None
    print(output)
