"""`tpe`: Tree-structured Parzen Estimator, multivariate (Optuna's default).

Where some hyperparameters have conditions, those that occur together are modelled together
(Optuna's `group`). Otherwise only what all trials have would be.
"""

import warnings

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler, TPESampler

from harness.samplers.base.space import Space

# With Optuna's default of 10 random trials, an arm of ten trials would have no others.
STARTUP_TRIALS = 4


def make(seed: int, arm_seed: int, space: Space, epochs: int) -> BaseSampler:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Argument ``group``", ExperimentalWarning)
        return TPESampler(
            seed=seed,
            n_startup_trials=STARTUP_TRIALS,
            multivariate=True,
            group=bool(space.conditions),
        )
