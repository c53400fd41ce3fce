"""Whole numbers and numbers are told from what only looks like them."""

import math

import numpy as np
import pytest

from harness.core.checks import check_whole, is_number, is_whole
from harness.core.errors import UserError


@pytest.mark.parametrize("value", [True, False, 1.0, "1", None, np.float32(1.0), math.nan])
def test_only_an_int_is_a_whole_number(value: object) -> None:
    assert not is_whole(value)
    with pytest.raises(UserError, match="is not a whole number of at least 0"):
        check_whole("depth", value, 0)


@pytest.mark.parametrize("value", [0, -3, 2**70])
def test_an_int_is_both(value: int) -> None:
    assert is_whole(value)
    assert is_number(value)


@pytest.mark.parametrize(
    ("value", "right"), [(1.5, True), (math.inf, True), (True, False), ("1", False), (None, False)]
)
def test_numbers(value: object, right: bool) -> None:
    assert is_number(value) is right


def test_a_number_below_the_least_is_refused_by_name() -> None:
    check_whole("depth", 1, 1)
    with pytest.raises(UserError, match="depth: 0 is not a whole number of at least 1"):
        check_whole("depth", 0, 1)
