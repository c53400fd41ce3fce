"""`kt-hyperband`: KerasTuner's oracle of that name, which gives each trial its epochs.

Many trials train for few epochs, and the best of them again for more. KerasTuner goes on from the
earlier trial's weights; here a trial is trained from the start, so that each is one of its own.
A pruner beside it would make trials invalid that the oracle is to judge.
"""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler

from harness.samplers.keras_tuner.oracle_sampler import OracleSampler


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    # The arm's seed: an oracle goes on where it was, and would repeat itself under another.
    return OracleSampler("hyperband", arm_seed, space, epochs)
