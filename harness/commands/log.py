"""The verb `harness log`: a study's trainings in MLflow, TensorBoard or Weights & Biases."""

from pathlib import Path
from typing import Annotated

import typer

from harness.commands import arguments
from harness.core.errors import UserError
from harness.results.run_directory import find


def log(
    name: arguments.Name,
    mlflow: Annotated[
        str | None,
        typer.Option(metavar="URI", help="A server or database: sqlite:///mlflow.db, http://…."),
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder, for tensorboard --logdir DIR.")
    ] = None,
    wandb: Annotated[
        str | None,
        typer.Option(metavar="offline", help="Folders in wandb/, for: wandb sync."),
    ] = None,
    runs_directory: arguments.Runs = Path("runs"),
) -> None:
    """Show a study in MLflow, TensorBoard or W&B: a run for each trial and replicate.

    Also while the study runs. Given again, it adds what is new, and writes nothing twice.
    """
    if mlflow is None and tensorboard is None and wandb is None:
        raise UserError(
            "log: say where: --mlflow sqlite:///mlflow.db, --tensorboard logs, or --wandb offline"
        )
    from harness.results.records import read_records

    records = read_records(find(name, runs_directory))
    if mlflow is not None:
        from harness.integrations import to_mlflow

        told = to_mlflow.log_study(records, mlflow)
        print(f"{to_mlflow.displayed(mlflow)}, experiment {records.study}: {told}")
    if tensorboard is not None:
        from harness.integrations import to_tensorboard

        told = to_tensorboard.log_study(records, tensorboard)
        print(f"{tensorboard / records.study}: {told}")
    if wandb is not None:
        from harness.integrations import to_wandb

        told = to_wandb.log_study(records, wandb)
        print(f"{to_wandb.folder()}, project {records.study}: {told}; send them with: wandb sync")
