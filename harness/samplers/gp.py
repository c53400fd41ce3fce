"""`gp`: Bayesian optimisation with a Gaussian process, by Optuna; it needs PyTorch."""

import importlib.util
from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler

from harness.core.errors import UserError

# As for TPE: with Optuna's default of 10, an arm of ten trials would only have random trials.
N_STARTUP_TRIALS = 4


def check(space: Mapping[str, BaseDistribution], trials: int) -> None:
    if importlib.util.find_spec("torch") is None:
        raise UserError(
            "sampler gp needs PyTorch; install it with: pip install 'rnn-depth-harness[gp]'"
        )


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    return GPSampler(
        seed=seed,
        n_startup_trials=N_STARTUP_TRIALS,
        deterministic_objective=False,
    )
