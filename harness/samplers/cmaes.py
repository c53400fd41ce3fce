"""`cmaes`: covariance matrix adaptation over the numeric hyperparameters.

Categories are drawn at random, as in Optuna, and so are hyperparameters that only some trials have.
"""

from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, CmaEsSampler

from harness.core.errors import UserError
from harness.samplers.base.joint import joint
from harness.samplers.base.space import Space


def check(space: Space, trials: int) -> None:
    numeric = [
        name
        for name, distribution in space.unconditional.items()
        if not isinstance(distribution, CategoricalDistribution) and not distribution.single()
    ]
    if len(numeric) < 2:
        raise UserError(
            f"sampler cmaes needs two numeric hyperparameters to search and has {len(numeric)}; "
            "use tpe or random"
        )


def make(seed: int, arm_seed: int, space: Space, epochs: int) -> BaseSampler:
    return joint(CmaEsSampler)(space, seed=seed)
