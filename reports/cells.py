"""Numbers as cells of a table: shown rounded, sorted and downloaded as they are."""

from collections.abc import Callable
from typing import Any

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


def loss(number: Any) -> Value | str:
    return value(number, wording.loss)


def count(number: Any) -> Value | str:
    return value(number, wording.count)


def milliseconds(number: Any) -> Value | str:
    return value(number, wording.milliseconds)


def seconds(number: Any) -> Value | str:
    return value(number, wording.seconds)


def parameter(setting: Any) -> Value | str:
    """A hyperparameter's value: a number, or a word, or nothing."""
    text = wording.value_text(setting)
    if hasattr(setting, "item"):
        setting = setting.item()
    if isinstance(setting, int | float) and not isinstance(setting, bool):
        return text if wording.missing(setting) else Value(text, float(setting))
    return text
