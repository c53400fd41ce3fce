"""`kt-grid`: KerasTuner's oracle of that name."""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from harness.samplers.keras_tuner.oracle_sampler import OracleSampler


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    # The arm's seed: an oracle goes on where it was, and would repeat itself under another.
    return OracleSampler("grid", arm_seed, space, epochs)
