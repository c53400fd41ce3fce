"""`kt-bayesian`: KerasTuner's Bayesian oracle, a Gaussian process."""

from collections.abc import Mapping
from importlib.util import find_spec

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from harness.core.errors import UserError
from harness.samplers.keras_tuner.oracle_sampler import OracleSampler

CONDITIONAL = False  # Optuna gives no conditions to the oracle


def check(space: Mapping[str, BaseDistribution], trials: int) -> None:
    if find_spec("sklearn") is None:
        raise UserError("sampler kt-bayesian needs scikit-learn; pip install scikit-learn")


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    # The arm's seed: with another seed, an oracle would not continue but start again.
    return OracleSampler("bayesian", arm_seed, space, epochs)
