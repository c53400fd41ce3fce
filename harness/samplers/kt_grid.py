"""`kt-grid`: KerasTuner's grid search oracle."""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from harness.samplers.keras_tuner.oracle_sampler import OracleSampler

CONDITIONAL = False  # Optuna gives no conditions to the oracle


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    # The arm's seed: with another seed, an oracle would not continue but start again.
    return OracleSampler("grid", arm_seed, space, epochs)
