"""Optuna's distributions as KerasTuner's hyperparameters."""

from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution


def declare_number(hps: Any, name: str, distribution: BaseDistribution) -> Any:
    """Declare a distribution of numbers in KerasTuner; returns its value there."""
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    kind = hps.Int if isinstance(distribution, IntDistribution) else hps.Float
    low, high = distribution.low, distribution.high
    if distribution.log:
        return kind(name, low, high, sampling="log")
    return kind(name, low, high, step=distribution.step)
