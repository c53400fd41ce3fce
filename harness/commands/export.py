"""Trained models out of a run directory: `harness export lstm_depth --arm depth=2 -o DIR`.

An arm's first replicate is kept as a model of stock Keras layers, with its vocabulary and its
hyperparameters beside it: nothing of this package is needed to load it. No Keras here.
"""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from harness import report
from harness.analysis import summary
from harness.core.errors import UserError
from harness.names import unknown
from harness.results import records as runs

FILES = ("model.keras", "vocabulary.txt", "params.json")


def export(
    name: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A study by name, or a run directory.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where the files are put.")
    ],
    arm: Annotated[
        str | None, typer.Option(metavar="ARM", help="depth=2, say.  [default: the recommended]")
    ] = None,
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories lie.")
    ] = Path("runs"),
) -> None:
    """Copy an arm's trained model, vocabulary and hyperparameters into a directory."""
    source = model_folder(report.find(name, runs_directory), arm)
    taken = [file for file in FILES if (output / file).exists()]
    if taken:
        raise UserError(f"{output} holds {' and '.join(taken)} already; choose another directory")
    copy_model(source, output)
    print(output)


def model_folder(root: Path, arm: str | None) -> Path:
    """Where an arm's model lies, the recommended arm's by default; raises UserError."""
    records = runs.read_records(root)
    chosen = arm or summary.recommended_arm(records)
    if chosen is None:
        raise UserError(f"{root}: no trial has finished yet, so there is no model")
    if chosen not in records.arms:
        raise unknown("arm", chosen, records.arms)
    folder = runs.RunDirectory(root).replicate(chosen, 1)
    missing = [file for file in FILES if not (folder / file).is_file()]
    if missing:
        raise UserError(
            f"{root} has no trained model of {chosen} yet (no {missing[0]}): models come with "
            "replicates; run the study to its end, with --replicates 1 or more"
        )
    return folder


def copy_model(source: Path, target: Path) -> None:
    """Each file whole or not at all."""
    for name in FILES:
        runs.write_atomically(target / name, (source / name).read_bytes())


def write_best(directory: runs.RunDirectory) -> None:
    """Make `best/` the recommended arm's model, once all replicates are there."""
    records = runs.read_records(directory.root)
    chosen = summary.confirmed_recommendation(records)
    if chosen is None:
        return
    source = directory.replicate(chosen.arm, 1)
    if all((source / name).is_file() for name in FILES):
        copy_model(source, directory.best)
    else:  # its first replicate failed; another arm's model would be the wrong one
        shutil.rmtree(directory.best, ignore_errors=True)
