"""`grid`: every cell of a grid once, in random order by the seed.

All categories are used. A range with at most five values gives all of them, another range five
points, evenly spaced on the distribution's own scale (linear or log), with both ends.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, GridSampler

from harness.core.errors import UserError

POINTS = 5
CONDITIONAL = False  # cells that differ in a value that does not apply would be the same


def check(space: Mapping[str, BaseDistribution], trials: int) -> None:
    cells = math.prod(len(choices) for choices in cells_of(space).values())
    if trials > cells:
        raise UserError(
            f"sampler grid: the grid has {cells} cells and {trials} trials are asked for; "
            f"give --trials {cells} or fewer"
        )


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    with warnings.catch_warnings():
        # Optuna warns of choices that are lists: not every storage could keep them. Ours can.
        warnings.filterwarnings("ignore", ".* is not supported by `GridSampler`")
        # The seed shuffles the cells and so numbers them: it must be the same for all trials.
        return _Cells(cells_of(space), seed=arm_seed)


class _Cells(GridSampler):
    def after_trial(self, *args: object) -> None:
        """Does nothing: Optuna's method stops `Study.optimize`, and raises errors outside of it."""


def cells_of(space: Mapping[str, BaseDistribution]) -> dict[str, list[Any]]:
    return {name: _points(distribution) for name, distribution in space.items()}


def _points(distribution: BaseDistribution) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = distribution.low, distribution.high
    if distribution.step and (high - low) / distribution.step < POINTS and not distribution.log:
        count = round((high - low) / distribution.step) + 1
        values = [low + i * distribution.step for i in range(count)]
    else:
        spaced = np.geomspace if distribution.log else np.linspace
        values = spaced(low, high, POINTS).tolist()
    if isinstance(distribution, IntDistribution):
        step = distribution.step
        return sorted({low + round((value - low) / step) * step for value in values})
    if distribution.step:
        return sorted(
            {low + round((v - low) / distribution.step) * distribution.step for v in values}
        )
    return sorted({min(max(value, low), high) for value in values})
