"""Import trials from other tools into a study: `harness import NAME FROM`. No Keras.

FROM is a project directory of KerasTuner, or an Optuna database, with the same hyperparameters.
Its trials become finished trials of the study, and the study's sampler learns from them.
"""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.core.errors import UserError

if TYPE_CHECKING:
    from harness.integrations.foreign_trials import ForeignTrial


def import_trials(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE.py", help="The study that gets the trials.")
    ],
    source: Annotated[
        str,
        typer.Argument(metavar="FROM", help="A KerasTuner project, an Optuna database or its URL."),
    ],
    study_name: Annotated[
        str | None,
        typer.Option("--study", metavar="NAME", help="The study in the Optuna database."),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Into NAME-quick.")] = False,
    storage: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The study's database, if it is not in its run directory."
        ),
    ] = None,
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")
    ] = Path("runs"),
) -> None:
    """Add finished trials of KerasTuner or Optuna to a study; they count towards its budget.

    Their objective must be the validation loss. Left out are trials of other hyperparameters,
    trials that were imported before, and trials without a finite loss. Nothing is written to FROM.
    """
    from harness.integrations.fitting import UnfitError, fit
    from harness.study import session
    from harness.study.options import Options

    options = Options(name=name, quick=quick, storage=storage, runs=runs_directory)
    trials = _read(source, study_name)
    if not trials:
        raise UserError(f"{source} holds no finished trial with a validation loss")
    with ExitStack() as stack:
        opened = session.open_study(options, stack)
        # An arm's first search gets the trials.
        arms = {search.arm.name: search for search in reversed(opened.arms)}
        before = {
            name: {trial.user_attrs.get("imported") for trial in search.finished_trials()}
            for name, search in arms.items()
        }
        taken, known, unfit = 0, 0, []
        for trial in trials:
            try:
                arm, params = fit(opened.study, opened.study.arms(), trial.params)
            except UnfitError as reason:
                unfit.append(reason)
                continue
            if trial.former not in before[arm.name] and arms[arm.name].import_trial(
                trial.source, params, trial.value, trial.val_accuracy, trial.epochs
            ):
                taken += 1
            else:
                known += 1
    if unfit and not taken and not known:
        raise UserError(f"{source}: none of its {len(trials)} trials fits the study: {unfit[0]}")
    left = f"; {len(unfit)} left out, the first because {unfit[0]}" if unfit else ""
    again = f"; {known} had been taken before" if known else ""
    print(f"{taken} of {len(trials)} trials are now in {opened.directory.root}{again}{left}")


def _read(source: str, study_name: str | None) -> "list[ForeignTrial]":
    from harness.integrations.foreign_trials import of_keras_tuner, of_optuna

    folder = Path(source)
    if os.path.isdir(source):  # False also for what no path can be
        if not (folder / "oracle.json").is_file():
            raise UserError(f"{source}: no oracle.json in it; name the project's own directory")
        return list(of_keras_tuner(folder))
    return list(of_optuna(source, study_name))
