"""`lcb`: Bayesian optimisation with scikit-learn's Gaussian process and a lower confidence bound.

The first STARTUP_TRIALS trials are those of `qmc`. From then on a Gaussian process is fitted to the
logarithm of all losses so far, with noise, because a loss is that of one training. The next trial
is the candidate with the lowest mean minus KAPPA standard deviations (Srinivas et al. 2010,
"Gaussian process optimization in the bandit setting"). A failed trial counts as the worst loss.

The process has fixed length scales. Fitted to as few trials as a search has, they made the search
less steady: LOG.md has the figures. tests/benchmarks/search_luck.py compares real searches.
"""

import math
from collections.abc import Mapping, Sequence
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
from optuna.trial import FrozenTrial, TrialState

from harness.samplers.base.configurations import ConfigurationSampler
from harness.samplers.qmc import configuration_at, design_point, value_at

STARTUP_TRIALS = 6
KAPPA = 2.0
LENGTH = 0.35  # of the kernel, for each square root of a coordinate; coordinates are 0 to 1
NOISE = 0.3  # variance of a single training, relative to that of the function
CANDIDATES = 1_000


def make(
    seed: int, arm_seed: int, space: Mapping[str, BaseDistribution], epochs: int
) -> BaseSampler:
    return _LowerConfidenceBound(space, seed, arm_seed)


class _LowerConfidenceBound(ConfigurationSampler):
    def __init__(self, space: Mapping[str, BaseDistribution], seed: int, design: int) -> None:
        super().__init__(space)
        self._seed, self._design = seed, design

    def suggest(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        done = _losses(study.get_trials(deepcopy=False))
        if trial.number < STARTUP_TRIALS or len(done) < 2 or not self._space:
            return design_point(self._space, trial.number, self._design)
        points = np.random.default_rng(self._seed).random((CANDIDATES, len(self._space)))
        candidates = [self._space.active(configuration_at(self._space, point)) for point in points]
        bound = lower_bound(
            self._encoded([params for params, _ in done]),
            np.array([loss for _, loss in done]),
            self._encoded(candidates),
        )
        return candidates[int(np.argmin(bound))]

    def _encoded(self, configurations: Sequence[Mapping[str, Any]]) -> NDArray[np.float64]:
        return np.array(
            [
                [x for name in sorted(self._space) for x in self._encoded_one(name, params)]
                for params in configurations
            ]
        )

    def _encoded_one(self, name: str, params: Mapping[str, Any]) -> list[float]:
        """Its coordinates; where it does not apply, the same ones for all trials."""
        if name in params:
            return encoded(self._space[name], params[name])
        return [0.5] * len(encoded(self._space[name], value_at(self._space[name], 0.0)))


def encoded(distribution: BaseDistribution, value: Any) -> list[float]:
    """A value as coordinates from 0 to 1, on the distribution's scale.

    Choices that are numbers are evenly spaced in the order of their size. Each of other choices has
    a coordinate of its own.
    """
    if isinstance(distribution, CategoricalDistribution):
        choices = distribution.choices
        if all(isinstance(c, int | float) and not isinstance(c, bool) for c in choices):
            rank = sorted(choices).index(value)  # type: ignore[type-var]
            return [rank / max(1, len(choices) - 1)]
        return [float(value == choice) / math.sqrt(2) for choice in choices]
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = float(distribution.low), float(distribution.high)
    if low == high:
        return [0.0]
    if distribution.log:
        return [math.log(value / low) / math.log(high / low)]
    return [(value - low) / (high - low)]


def lower_bound(
    x: NDArray[np.float64], losses: NDArray[np.float64], candidates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean minus KAPPA standard deviations of the loss without noise, one for each candidate.

    `x` has shape (trials, coordinates), `losses` (trials,), `candidates` (n, coordinates). The
    bound is in the unit of the logarithm of the losses, if all are positive.
    """
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    y = np.log(losses) if losses.min() > 0 else losses
    length = LENGTH * math.sqrt(x.shape[1])
    kernel = ConstantKernel(1.0) * Matern(length, nu=2.5) + WhiteKernel(NOISE)
    process = GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True)
    mean, deviation = process.fit(x, y).predict(candidates, return_std=True)
    of_noise = NOISE * float(y.var())  # the prediction is of a loss, with its noise
    bound: NDArray[np.float64] = mean - KAPPA * np.sqrt(np.maximum(deviation**2 - of_noise, 0.0))
    return bound


def _losses(trials: Sequence[FrozenTrial]) -> list[tuple[dict[str, Any], float]]:
    """Parameters and lowest loss of the trials that have ended, failed ones with the worst."""
    ended = [trial for trial in trials if trial.state.is_finished() and trial.params]
    found = {trial.number: _loss(trial) for trial in ended}
    worst = max((loss for loss in found.values() if loss is not None), default=None)
    if worst is None:
        return []
    return [
        (dict(trial.params), worst if (loss := found[trial.number]) is None else loss)
        for trial in ended
    ]


def _loss(trial: FrozenTrial) -> float | None:
    if trial.state == TrialState.FAIL:
        return None
    value = trial.value if trial.state == TrialState.COMPLETE else None
    known = [value] if value is not None else [*trial.intermediate_values.values()]
    finite = [each for each in known if math.isfinite(each)]
    return min(finite, default=None)
