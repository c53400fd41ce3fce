"""Pruners by name. Each sees the trials of one arm only: it never compares depths."""

import warnings
from collections.abc import Callable

from optuna.exceptions import ExperimentalWarning
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    NopPruner,
    PatientPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
)

from harness.core.errors import unknown

# Four trials run in full before any is pruned. No trial is pruned before its second epoch: the
# first epoch says little about where the training will end.
N_STARTUP_TRIALS, N_WARMUP_STEPS = 4, 2


def _median() -> BasePruner:
    return MedianPruner(n_startup_trials=N_STARTUP_TRIALS, n_warmup_steps=N_WARMUP_STEPS)


def _patient() -> BasePruner:
    """The median pruner, asked only after an epoch without improvement."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # since 2021
        return PatientPruner(_median(), patience=1)


PRUNERS: dict[str, Callable[[int], BasePruner]] = {
    "none": lambda epochs: NopPruner(),
    "median": lambda epochs: _median(),
    # Keeps the better quarter at each epoch.
    "percentile": lambda epochs: PercentilePruner(
        25.0, n_startup_trials=N_STARTUP_TRIALS, n_warmup_steps=N_WARMUP_STEPS
    ),
    "successive-halving": lambda epochs: SuccessiveHalvingPruner(
        min_resource=1, reduction_factor=2
    ),
    "hyperband": lambda epochs: HyperbandPruner(
        min_resource=1, max_resource=max(epochs, 1), reduction_factor=3
    ),
    "patient": lambda epochs: _patient(),
}


def names() -> list[str]:
    return sorted(PRUNERS)


def check(name: str) -> None:
    """Raise UserError where there is no such pruner."""
    if name not in PRUNERS:
        raise unknown("pruner", name, names())


def make(name: str, *, epochs: int) -> BasePruner:
    """The pruner for trainings of at most `epochs` epochs; steps are epochs, from 1."""
    return PRUNERS[name](epochs)
