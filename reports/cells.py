"""Cells with numbers: shown rounded, sorted and downloaded in full precision."""

from collections.abc import Callable
from typing import Any

from harness.analysis import labels
from harness.analysis.statistics import Comparison, Interval
from reports import wording
from reports.content import Value


def value(number: Any, text: Callable[[Any], str]) -> Value | str:
    """A cell, or a dash where there is no number."""
    return wording.MISSING if wording.missing(number) else Value(text(number), float(number))


def percent(accuracy: Any, size: int | None = None) -> Value | str:
    """An accuracy (0 to 1), in percent."""
    if wording.missing(accuracy):
        return wording.MISSING
    return Value(wording.percent(accuracy, size), 100 * float(accuracy))


def mean(accuracy: float | None, interval: Interval | None) -> Value | str:
    """A mean accuracy (0 to 1) in percent, rounded as its interval allows."""
    if accuracy is None:
        return wording.MISSING
    return Value(wording.mean_percent(accuracy, interval), 100 * accuracy)


def difference(found: Comparison) -> Value:
    """A difference of accuracies, in points."""
    return Value(labels.signed(found.difference), 100 * found.difference)


def difference_interval(found: Comparison) -> str:
    """The ends of its interval; a dash for a single search or replicate."""
    if found.replicates < 2:
        return wording.MISSING
    return labels.interval_text(found.interval).strip("[]").replace(", ", " to ")


def p_value(found: Comparison) -> Value | str:
    """The corrected p value; a dash for a single search or replicate."""
    return Value(wording.p_value(found.p), found.p) if found.replicates > 1 else wording.MISSING


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
