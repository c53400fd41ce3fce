"""Metrics from predictions, one number for each example."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

R2 = "R²"  # the metric where numbers are predicted


def scored(predicted: NDArray[Any], y: NDArray[Any], metric: str) -> NDArray[Any]:
    """One number for each example, from predictions and targets `y`; their mean is the metric.

    - Accuracy: 1 or 0 (uint8). Where each step has a class, the share of steps that are right
      (float64).
    - Balanced accuracy, the mean over classes of the share that is right: a right example counts
      n / (classes x examples of its class), else 0 (float64).
    - R², the explained share of the variance of the numbers `y` (n,): 1 minus the squared error
      divided by the variance (float64).
    """
    found: NDArray[Any]
    if metric == R2:
        variance = float(np.var(y, dtype=np.float64)) or math.nan
        found = 1.0 - (np.asarray(predicted, np.float64) - y) ** 2 / variance
        return found
    right: NDArray[np.bool_] = predicted == y
    if right.ndim == 2:
        found = right.mean(axis=1)
    elif metric == "accuracy":
        found = right.astype(np.uint8)
    else:
        counts = np.bincount(y)
        found = right * (len(y) / (np.count_nonzero(counts) * counts[y]))
    return found
