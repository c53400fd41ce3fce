"""How much repeated times differ: percentiles, and when a time is unstable."""

from collections.abc import Sequence
from typing import Any

import numpy as np

UNSTABLE = 0.10  # interquartile range over median; above it a time is called unstable


def relative_spread(samples: Sequence[float]) -> float:
    """Interquartile range over median; 0.0 for a single sample."""
    low, median, high = np.percentile(samples, (25, 50, 75))
    return float((high - low) / median)


def pooled(samples: Sequence[float]) -> dict[str, Any]:
    """`median`, `p05`, `p95` (percentiles, linearly interpolated), `n`, `unstable`."""
    p05, median, p95 = np.percentile(samples, (5, 50, 95))
    return {
        "median": float(median),
        "p05": float(p05),
        "p95": float(p95),
        "n": len(samples),
        "unstable": relative_spread(samples) > UNSTABLE,
    }
