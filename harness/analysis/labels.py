"""Arms, differences and their intervals as they are written in sentences and tables."""

import numpy as np

from harness.analysis.statistics import Interval
from harness.results.records import BASELINES


def arm_label(arm: str) -> str:
    """`depth=2` in words: depth 2; for a baseline, its display name."""
    if arm in BASELINES:
        return BASELINES[arm]
    return arm.replace("=", " ").replace(",", ", ").replace("_", " ")


def signed(value: float) -> str:
    """A difference of accuracies in points with its sign: +0.1, −0.6."""
    text = f"{100 * value:+.1f}".replace("-", "−")
    return text.replace("−0.0", "0.0").replace("+0.0", "0.0")


def probability_text(probability: float) -> str:
    """62 %, below 1 %, above 99 %."""
    if probability < 0.01:
        return "below 1 %"
    return "above 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def interval_text(interval: Interval) -> str:
    if np.isinf(interval.low) or np.isinf(interval.high):
        return "[no interval]"
    low, high = max(-1.0, interval.low), min(1.0, interval.high)
    return f"[{signed(low)}, {signed(high)}]"
