"""Import trials from other tools into a study: `harness import NAME FROM`. No Keras.

FROM is a project directory of KerasTuner, or an Optuna database, with the same hyperparameters.
Its trials become finished trials of the study, and the study's sampler learns from them.
"""

import contextlib
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.core.errors import UserError


@dataclass(frozen=True)
class ImportedTrial:
    """A finished trial: `value` is its lowest validation loss, `epochs` has the losses by epoch.

    `source` is its identity: a trial with a source that the study has already is not added again.
    """

    source: str
    params: Mapping[str, Any]
    value: float
    val_accuracy: float | None = None
    epochs: Mapping[int, float] = field(default_factory=dict)


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

    Their objective must be the validation loss. Left out are trials outside of the study's search
    space, trials that were imported before, and trials without a finite loss.
    """
    from harness.study import session
    from harness.study.options import Options

    options = Options(name=name, quick=quick, storage=storage, runs=runs_directory)
    if (Path(source) / "oracle.json").is_file():
        trials = list(_of_keras_tuner(Path(source)))
    elif Path(source).is_dir():
        raise UserError(f"{source}: no oracle.json in it; name the project's own directory")
    else:
        trials = list(_of_optuna(source, study_name))
    if not trials:
        raise UserError(f"{source} holds no finished trial with a validation loss")
    with ExitStack() as stack:
        opened = session.open_study(options, stack)
        taken, known, outside = 0, 0, []
        for trial in trials:
            arm, params = _fitting(opened, trial)
            if arm is None:
                outside.append(params)
            elif arm.import_trial(
                trial.source, params, trial.value, trial.val_accuracy, trial.epochs
            ):
                taken += 1
            else:
                known += 1
    if outside and not taken and not known:
        raise UserError(f"{source}: none of its {len(trials)} trials fits the study: {outside[0]}")
    left = f"; {len(outside)} left out, the first because {outside[0]}" if outside else ""
    before = f"; {known} had been taken before" if known else ""
    print(f"{taken} of {len(trials)} trials are now in {opened.directory.root}{before}{left}")


def _fitting(opened: Any, trial: ImportedTrial) -> Any:
    """The arm that a trial belongs to and its searched values; (None, reason) where there is none.

    KerasTuner stores choices of mixed types as text, so a text also stands for the choice that is
    written like it.
    """
    from optuna.distributions import CategoricalDistribution

    from harness.core.optuna_private import contains

    study = opened.study
    params = {}
    for name, distribution in study.search.items():
        if name not in trial.params:
            return None, f"it has no {name}"
        value = trial.params[name]
        if isinstance(distribution, CategoricalDistribution):
            value = {str(choice): choice for choice in distribution.choices}.get(str(value), value)
        if not contains(distribution, value):
            return None, f"{name} {value} is outside of {distribution}"
        params[name] = value
    for arm in opened.arms:
        values = arm.arm.values.items()
        if all(str(trial.params.get(name)) == str(value) for name, value in values):
            return arm, params
    return None, f"no arm has its {', '.join(study.compare)}"


def _of_keras_tuner(root: Path) -> Iterator[ImportedTrial]:
    for file in sorted(root.glob("trial_*/trial.json")):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
            observed = found["metrics"]["metrics"]
            values = found["hyperparameters"]["values"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{file}: not a trial of KerasTuner that can be read ({error})"
            ) from None
        if found.get("status") != "COMPLETED" or "val_loss" not in observed:
            continue
        losses = [loss for loss in _observations(observed["val_loss"]) if math.isfinite(loss)]
        if not losses:
            continue
        accuracy = _observations(observed.get("val_accuracy") or {})
        yield ImportedTrial(
            source=f"{root.absolute()}#{found['trial_id']}",
            params=values,
            value=min(losses),
            val_accuracy=max(accuracy, default=None),
        )


def _observations(metric: Mapping[str, Any]) -> list[float]:
    listed = metric.get("observations") or []
    return [float(value) for each in listed for value in each["value"]]


def _of_optuna(source: str, study_name: str | None) -> Iterator[ImportedTrial]:
    import optuna
    from sqlalchemy.exc import SQLAlchemyError

    from harness.search.database import shown

    url = source if "://" in source else f"sqlite:///{Path(source).absolute()}"
    if "://" not in source and not Path(source).is_file():
        raise UserError(f"{source}: no such file or directory")
    where = shown(url)
    with _quiet():
        try:
            names = optuna.get_all_study_names(url)
            chosen = study_name or (names[0] if len(names) == 1 else None)
            if chosen not in names:
                listed = ", ".join(names[:10]) or "none"
                raise UserError(f"{where} holds these studies: {listed}; name one with --study")
            study = optuna.load_study(study_name=chosen, storage=url)
            trials = study.get_trials(states=[optuna.trial.TrialState.COMPLETE])
            directions = study.directions
        except (SQLAlchemyError, RuntimeError, ImportError) as error:
            reason = str(error).strip().splitlines()[0]
            raise UserError(
                f"{where}: not an Optuna database that can be read ({reason})"
            ) from None
    if directions != [optuna.study.StudyDirection.MINIMIZE]:
        raise UserError(
            f"{where}: {chosen} does not minimise one value; a study's value is the validation loss"
        )
    for trial in trials:
        # Optuna calls a trial with an infinite value complete; here its training has diverged.
        if trial.value is None or not math.isfinite(trial.value):
            continue
        accuracy = trial.user_attrs.get("val_accuracy")
        losses = trial.intermediate_values.items()
        yield ImportedTrial(
            source=f"{where}#{chosen}/{trial.number}",
            params=trial.params,
            value=trial.value,
            val_accuracy=accuracy if isinstance(accuracy, float) else None,
            epochs={epoch: loss for epoch, loss in losses if math.isfinite(loss)},
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without Optuna's line for each study that it loads."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
