"""`qmc`: a quasi-random design, which spreads few configurations evenly over the space.

Trial number k gets point k of a scrambled Sobol sequence (scipy.stats.qmc), whatever the trials
before it found. So any number of trials covers each hyperparameter's range, and each choice of a
list, about evenly, and the same seed gives the same configurations in every arm of a study.
Optuna's own QMCSampler counts its points in the study's attributes, which a resume does not have.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from harness.samplers.base.configurations import ConfigurationSampler

STARTUP_TRIALS = math.inf


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    return _Design(space, seed=arm_seed)


class _Design(ConfigurationSampler):
    """Suggests the point of the trial's number."""

    def __init__(self, space: Mapping[str, BaseDistribution], seed: int) -> None:
        super().__init__(space)
        self._seed = seed

    def suggest(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        return design_point(self._space, trial.number, self._seed)


def design_point(space: Mapping[str, BaseDistribution], number: int, seed: int) -> dict[str, Any]:
    """The configuration of point `number`, from 0, of the design with this seed."""
    return configuration_at(space, point_of(number, len(space), seed)) if space else {}


def configuration_at(
    space: Mapping[str, BaseDistribution], point: NDArray[np.float64]
) -> dict[str, Any]:
    """The configuration at a point, (hyperparameters,), each in [0, 1)."""
    # In the order of names: a space declared in another order has the same configurations.
    return {
        name: value_at(space[name], float(u)) for name, u in zip(sorted(space), point, strict=True)
    }


def point_of(number: int, dimensions: int, seed: int) -> NDArray[np.float64]:
    """Point `number` (from 0) of the sequence, (dimensions,), each in [0, 1)."""
    from scipy.stats import qmc

    sequence = qmc.Sobol(dimensions, scramble=True, rng=np.random.default_rng(seed))
    with warnings.catch_warnings():
        # A single point breaks the balance of Sobol's blocks; the sequence as a whole keeps it.
        warnings.simplefilter("ignore", UserWarning)
        if number:
            sequence.fast_forward(number)
        point: NDArray[np.float64] = sequence.random(1)[0]
    return point


def value_at(distribution: BaseDistribution, u: float) -> Any:
    """The value at the share `u`, in [0, 1), of a distribution, on its own scale."""
    if isinstance(distribution, CategoricalDistribution):
        return distribution.choices[int(u * len(distribution.choices))]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = float(distribution.low), float(distribution.high)
    step = distribution.step
    if step is not None:
        # Each step gets its share of the range, the two at the ends included.
        low, high = low - step / 2, high + step / 2
    if distribution.log:
        value = math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
    else:
        value = low + u * (high - low)
    if step is not None:
        value = distribution.low + round((value - distribution.low) / step) * step
    value = min(max(value, distribution.low), distribution.high)
    return int(value) if isinstance(distribution, IntDistribution) else value
