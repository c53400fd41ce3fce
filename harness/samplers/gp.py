"""`gp`: Bayesian optimisation with a Gaussian process, by Optuna; it needs PyTorch.

Hyperparameters that only some trials have are drawn at random.
"""

import importlib.util

from optuna.samplers import BaseSampler, GPSampler

from harness.core.errors import UserError
from harness.samplers.base.joint import joint
from harness.samplers.base.space import Space

# As for TPE: with Optuna's default of 10, an arm of ten trials would only have random trials.
STARTUP_TRIALS = 4


def check(space: Space, trials: int) -> None:
    if importlib.util.find_spec("torch") is None:
        raise UserError(
            "sampler gp needs PyTorch; install it with: pip install 'rnn-depth-harness[gp]'"
        )


def make(seed: int, arm_seed: int, space: Space, epochs: int) -> BaseSampler:
    return joint(GPSampler)(
        space,
        seed=seed,
        n_startup_trials=STARTUP_TRIALS,
        deterministic_objective=False,
    )
