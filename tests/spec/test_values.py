"""Values of a study as plain Python, and what no file can keep."""

import datetime
import enum
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toys import toy_study

from harness.core.errors import UserError
from harness.core.scalars import same
from harness.spec.values import hashable, plain, plain_compare, plain_fixed


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    """A text of another class."""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (True, True),
        (3, 3),
        ("a", "a"),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.bool_(False), False),
        (np.str_("a"), "a"),
        (np.array(7), 7),
        (Text("a"), "a"),
        ([np.int64(8), [4, np.float64(2)]], (8, (4, 2.0))),
    ],
)
def test_plain_values(given: Any, expected: Any) -> None:
    found = plain("x", given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value",
    [
        b"a",
        np.bytes_(b"a"),
        datetime.date(2026, 1, 1),
        np.datetime64("2026-01-01"),
        Path("x"),
        {"a": 1},
        {1, 2},
        1j,
        np.arange(2),
        Colour.RED,
        object(),
        len,
        [1, [b"a"]],
    ],
)
def test_what_no_file_can_keep_is_refused_by_name(value: Any) -> None:
    for changes in ({"fixed": {"x": value}}, {"compare": {"x": [1, value]}}):
        group = next(iter(changes))
        with pytest.raises(UserError, match=f"^{group}: x: .* is of type .*; write None") as caught:
            toy_study(**changes)
        assert len(str(caught.value)) < 250
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("-inf")])
def test_numbers_are_finite(value: Any) -> None:
    with pytest.raises(UserError, match=r"^fixed: x: .* is not a finite number"):
        plain_fixed({"x": value})


def test_names_are_texts() -> None:
    for wrong in ([("depth", 1)], None, {1: 2}, {b"depth": 1}):
        with pytest.raises(UserError, match=r"^fixed: "):
            plain_fixed(wrong)


def test_compared_values_come_in_any_sequence() -> None:
    for values in (np.arange(4, 13, 4), range(4, 13, 4), (4, 8, 12), list(np.arange(4, 13, 4))):
        found = plain_compare({"filters": values})["filters"]
        assert found == [4, 8, 12]
        assert {type(each) for each in found} == {int}
    for wrong in ("abc", b"abc", 5, [], {1, 2}, np.zeros((2, 2))):
        with pytest.raises(UserError, match=r"^compare: filters needs a list of values"):
            plain_compare({"filters": wrong})


def test_equal_values() -> None:
    assert same((8, [4]), [8.0, (4,)])
    assert same(True, True)
    for one, other in ((1, True), (0, False), ([1], [True]), ([1], [1, 1]), ("1", 1), (None, 0)):
        assert not same(one, other)
    assert hash(hashable([8, [4, "a"]])) == hash((8, (4, "a")))
