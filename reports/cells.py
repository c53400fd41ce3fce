"""Cells with numbers: shown rounded, sorted and downloaded in full precision."""

import math
from collections.abc import Callable
from typing import Any

from harness.analysis import labels
from harness.analysis.statistics import Comparison, Interval
from harness.core.metrics import Metric
from reports import wording
from reports.content import Value


def value(number: Any, text: Callable[[Any], str]) -> Value | str:
    """A cell, or a dash where there is no number."""
    return wording.MISSING if wording.missing(number) else Value(text(number), float(number))


def score(metric: Metric, value: Any, size: int | None = None) -> Value | str:
    """A score; its number is in the unit shown, so that of an accuracy is in percent."""
    if wording.missing(value):
        return wording.MISSING
    return Value(wording.score(metric, value, size), metric.factor * float(value))


def mean(metric: Metric, value: float | None, interval: Interval | None) -> Value | str:
    """A mean score, rounded as its interval allows."""
    if value is None:
        return wording.MISSING
    return Value(wording.mean_score(metric, value, interval), metric.factor * value)


def difference(metric: Metric, found: Comparison) -> Value:
    """A difference of scores; of accuracies in points."""
    return Value(metric.signed(found.difference), metric.factor * found.difference)


def difference_interval(metric: Metric, found: Comparison) -> str:
    """The ends of its interval; a dash where nothing is known."""
    if not found.estimate.known:
        return wording.MISSING
    return labels.interval_text(found.interval, metric).strip("[]").replace(", ", " to ")


def p_value(found: Comparison) -> Value | str:
    """The corrected p value; a dash where nothing is known."""
    return Value(wording.p_value(found.p), found.p) if found.estimate.known else wording.MISSING


def probability(number: float | None) -> Value | str:
    """A probability (0 to 1), in percent; a dash for a single search or replicate."""
    if number is None:
        return wording.MISSING
    return Value(wording.probability(number), 100 * number)


def loss(number: Any) -> Value | str:
    return value(number, wording.loss)


def count(number: Any) -> Value | str:
    return value(number, wording.count)


def milliseconds(number: Any) -> Value | str:
    return value(number, wording.milliseconds)


def seconds(number: Any) -> Value | str:
    return value(number, wording.seconds)


def parameter(setting: Any) -> Value | str:
    """A hyperparameter's value: a number, a word, or a dash."""
    text = wording.value_text(setting)
    if hasattr(setting, "item"):
        setting = setting.item()
    if isinstance(setting, int | float) and not isinstance(setting, bool):
        return text if wording.missing(setting) else Value(text, float(setting))
    return text


def detectable(metric: Metric, found: Comparison) -> str | Value:
    """The smallest true difference that four of five such studies would find."""
    difference = found.detectable
    if not wording.possible(metric, difference) or math.isinf(difference):
        return wording.MISSING
    return Value(wording.detectable(metric, difference), metric.factor * difference)
