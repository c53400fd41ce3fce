"""Checks of values that users give."""

from typing import TypeGuard

from harness.core.errors import UserError


def is_whole(value: object) -> TypeGuard[int]:
    """Whether it is a whole number; True and False are not."""
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is a number, infinities and NaN included; True and False are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def check_whole(name: str, value: object, least: int) -> None:
    """Raises UserError, which names the value, unless it is a whole number of at least `least`."""
    if not is_whole(value) or value < least:
        raise UserError(f"{name}: {value!r} is not a whole number of at least {least}")
