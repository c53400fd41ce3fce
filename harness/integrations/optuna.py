"""A study's search space and fast training for your own Optuna study.

    import harness, optuna

    optuna.create_study().optimize(harness.optuna_objective("joint_search"), n_trials=20)

The trials belong to your study; nothing is written to a run directory.
"""

import os
import warnings
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from harness.core.checks import check_whole
from harness.core.errors import UserError
from harness.integrations.embedded import Embedded
from harness.search.assignment import Assignment
from harness.search.trial_files import ATTRIBUTES
from harness.spec.distributions import categorical
from harness.spec.study import Study
from harness.training.trainer import Epoch


def optuna_objective(
    study: Study | str | os.PathLike[str],
    *,
    epochs: int | None = None,
    seed: int | None = None,
) -> Callable[[optuna.Trial], float]:
    """An objective that trains in this process and returns the lowest validation loss (minimise).

    `study` is a Study, a study's name, or the path of a study file.
    Compared hyperparameters are suggested like the searched ones. Each epoch is reported to Optuna,
    from 1, so any pruner works. The user attributes are those of the harness's own trials.
    `epochs` and `seed` are the study's by default. With `optimize(n_jobs=…)` trials still train one
    after another, so that their values are the same. Raises UserError where there is no such study,
    or where its units are found by measuring.
    """
    embedded = Embedded.from_study(study)
    for name, value, least in (("epochs", epochs, 1), ("seed", seed, 0)):
        if value is not None:
            check_whole(name, value, least)
    study = embedded.study
    chosen_seed = study.seed if seed is None else seed
    most = study.budget.search_epochs if epochs is None else epochs

    def objective(trial: optuna.Trial) -> float:
        compared = {
            name: _suggest(trial, name, categorical(list(values)))
            for name, values in study.compare.items()
        }
        arm = embedded.arm(compared)
        searched = study.space_of(arm).choose(lambda name, each: _suggest(trial, name, each))
        hyperparameters = study.hyperparameters(arm, searched)
        pruned = False

        def on_epoch(epoch: Epoch) -> bool:
            nonlocal pruned
            trial.report(epoch.val_loss, epoch.epoch)
            pruned = trial.should_prune()
            return not pruned

        done = embedded.train(
            arm,
            hyperparameters,
            seed=chosen_seed,
            epochs=most,
            on_epoch=on_epoch,
        )
        ended = Assignment(
            arm=arm,
            number=trial.number,
            params=searched,
            hyperparameters=hyperparameters,
            seed=chosen_seed,
            parameters=done.parameters,
            path=done.path,
            epochs=[asdict(epoch) for epoch in done.epochs],
        ).outcome("pruned" if pruned else "complete", None) | {"seed": chosen_seed}
        for name in ATTRIBUTES:
            trial.set_user_attr(name, ended[name])
        if pruned:
            raise optuna.TrialPruned
        return float(ended["value"])

    return objective


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    match distribution:
        case IntDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_int(name, low, high, log=log, step=step)
        case FloatDistribution(low=low, high=high, log=log, step=step):
            return trial.suggest_float(name, low, high, log=log, step=step)
        case CategoricalDistribution(choices=choices):
            with warnings.catch_warnings():  # as in `categorical`
                warnings.filterwarnings("ignore", "Choices for a categorical distribution")
                return trial.suggest_categorical(name, choices)
    raise UserError(f"{name}: {type(distribution).__name__} can't be suggested")
