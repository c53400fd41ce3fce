"""`tpe`: Tree-structured Parzen Estimator, multivariate (Optuna's default)."""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, TPESampler

# With Optuna's default of 10 random trials, an arm of ten trials would have no others.
N_STARTUP_TRIALS = 4


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    return TPESampler(
        seed=seed,
        n_startup_trials=N_STARTUP_TRIALS,
        multivariate=True,
    )
