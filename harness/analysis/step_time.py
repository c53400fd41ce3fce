"""The time of a training step by the shape of what is trained, fitted to measured ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from harness.datasets.base.signature import Signature
from harness.spec import counts
from harness.spec.hyperparameters import Hyperparameters


def parts(hp: Hyperparameters, signature: Signature) -> Any:
    """What the time of a step is a sum of, shape (4,).

    A constant, the parameters (Adam), the iterations of the recurrence, and the operations of its
    products.
    """
    return np.array(
        [
            1.0,
            counts.parameters(hp, signature),
            counts.recurrence_iterations(hp, signature),
            counts.flops_per_step(hp, signature),
        ]
    )


class Fitted:
    """Times as a sum of parts, fitted to the relative errors by non-negative least squares.

    Outside the measured range a power law would have larger errors.
    """

    def __init__(self, measured: Sequence[tuple[Any, float]]) -> None:
        from scipy.optimize import nnls

        self._prices: Any = None
        if measured:
            rows = np.array([of / time for of, time in measured])
            # Scaled, because counts of operations are far larger than the rest.
            scale = np.maximum(np.abs(rows).max(axis=0), 1e-300)
            prices, _ = nnls(rows / scale, np.ones(len(rows)))
            self._prices = prices / scale

    @property
    def known(self) -> bool:
        """Whether anything was measured, so that it can be called."""
        return self._prices is not None

    def __call__(self, of: Any) -> float:
        return float(of @ self._prices)
