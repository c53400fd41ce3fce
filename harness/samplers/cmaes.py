"""`cmaes`: covariance matrix adaptation over the numeric hyperparameters.

Categories are drawn at random, as in Optuna.
"""

from collections.abc import Mapping

from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.samplers import BaseSampler, CmaEsSampler

from harness.core.errors import UserError


def check(space: Mapping[str, BaseDistribution], trials: int) -> None:
    numeric = [
        name
        for name, distribution in space.items()
        if not isinstance(distribution, CategoricalDistribution) and not distribution.single()
    ]
    if len(numeric) < 2:
        raise UserError(
            f"sampler cmaes needs two numeric hyperparameters to search and has {len(numeric)}; "
            "use tpe or random"
        )


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    return CmaEsSampler(seed=seed)
