"""The names of metrics that need no model, and how one is computed from predictions."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

R2 = "R²"  # the metric of numbers


def scored(predicted: NDArray[Any], y: NDArray[Any], metric: str) -> NDArray[Any]:
    """One number an example whose mean is the metric: of what was predicted and what is right.

    Accuracy: 1 or 0 (uint8), or the share of an example's steps (float64). Balanced accuracy, the
    mean over classes of the share found: a right one counts n / (classes x examples of its class)
    (float64), so that classes weigh alike. R², the share of the variance of numbers `y` (n,) that
    is explained: 1 less the squared error over it (float64).
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
