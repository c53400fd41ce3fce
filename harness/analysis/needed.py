"""How large the test split must be for a verdict, where more replicates alone give none."""

import math

from harness.analysis.statistics import Comparison, half_width, half_width_needed

REPLICATES = 100  # of each arm: more is not practical advice, beside a larger test split
MOST = 1_000.0


def examples_needed(comparison: Comparison) -> float | None:
    """With how many times the test examples REPLICATES would give a verdict, at least 1.

    Assumes that the mean and the variances seen are the true ones. None where no number of examples
    would do, or only more than MOST times as many.
    """
    needed = half_width_needed(comparison.estimate, comparison.margin)
    if needed is None:
        return None

    def enough(times: float) -> bool:
        width = half_width(comparison.estimate, comparison.alpha, REPLICATES, times)
        return width <= needed

    low, high = 1.0, MOST
    if not enough(high):
        return None
    if enough(low):
        return low
    while high / low > 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
