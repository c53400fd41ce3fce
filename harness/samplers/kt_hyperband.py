"""`kt-hyperband`: KerasTuner's Hyperband oracle, which chooses the epochs of each trial.

Many trials train for few epochs, and the best of them again for more. KerasTuner continues from the
weights of the earlier trial. Here each trial is trained from the start, so that trials are
independent. Do not use a pruner with it: pruned trials are invalid for the oracle.
"""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from harness.samplers.keras_tuner.oracle_sampler import OracleSampler

CONDITIONAL = False  # Optuna gives no conditions to the oracle


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    # The arm's seed: with another seed, an oracle would not continue but start again.
    return OracleSampler("hyperband", arm_seed, space, epochs)
