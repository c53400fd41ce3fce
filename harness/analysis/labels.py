"""Arms, probabilities and intervals as they are written in sentences and tables."""

import numpy as np

from harness.analysis.statistics import Interval
from harness.core.metrics import Metric
from harness.results.records import BASELINES


def arm_label(arm: str) -> str:
    """`depth=2` in words: depth 2; for a baseline, its display name."""
    if arm in BASELINES:
        return BASELINES[arm]
    return arm.replace("=", " ").replace(",", ", ").replace("_", " ")


def probability_text(probability: float) -> str:
    """62 %, below 1 %, above 99 %."""
    if probability < 0.01:
        return "below 1 %"
    return "above 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def interval_text(interval: Interval, metric: Metric) -> str:
    """The interval of a difference: [−0.6, +0.8]. Accuracies differ by 100 points at most."""
    if np.isinf(interval.low) or np.isinf(interval.high):
        return "[no interval]"
    most = metric.most - metric.least
    low, high = max(-most, interval.low), min(most, interval.high)
    return f"[{metric.signed(low)}, {metric.signed(high)}]"
