"""`random`: independent uniform draws (log-uniform for log distributions)."""

import math
from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler

STARTUP_TRIALS = math.inf


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    return RandomSampler(seed=seed)
