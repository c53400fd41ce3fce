"""Numbers rounded as their uncertainty allows, and harmless names."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.metrics import Metric
from harness.core.text import sanitize
from reports import wording


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (math.nan, "–"),
        (0.0, "0 s"),
        (8.44, "8.4 s"),
        (42.4, "42 s"),
        (59.7, "1 min"),
        (200.0, "3 min 20 s"),
        (3599.9, "1 h"),
        (7500.0, "2 h 5 min"),
    ],
)
def test_seconds(value: float | None, text: str) -> None:
    assert wording.seconds(value) == text


@pytest.mark.parametrize(
    ("accuracy", "size", "text"),
    [
        (0.8523, 4000, "85.2\u00a0%"),
        (0.8523, None, "85.2\u00a0%"),
        (0.8523, 50, "85\u00a0%"),
        (None, 4000, "–"),
        (1.0, 4000, "100.0\u00a0%"),
    ],
)
def test_percent(accuracy: float | None, size: int | None, text: str) -> None:
    assert wording.score(Metric(), accuracy, size) == text


def test_standard_error_is_the_binomial_one() -> None:
    assert wording.standard_error(0.5, 2500) == pytest.approx(0.01)
    assert wording.standard_error(0.5, None) is None
    assert wording.standard_error(math.nan, 10) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.345, "12.3"), (0.01234, "0.0123"), (1234.5, "1,234"), (1.75, "1.75"), (0.0, "0")],
)
def test_significant(value: float, text: str) -> None:
    assert wording.significant(value, 3) == text


@given(st.text())
def test_sanitized_text_has_no_control_characters(text: str) -> None:
    shown = sanitize(text)
    assert all(c.isprintable() or c in "\n\t\u00a0\u202f\u2009\u200d" for c in shown)
    shown.encode("utf-8")
    assert sanitize(shown) == shown


@given(st.text(max_size=60), st.integers(min_value=4, max_value=40))
def test_shortened_text_fits(text: str, length: int) -> None:
    assert len(wording.shorten(text, length)) <= length


@given(st.text(min_size=1), st.integers(min_value=0), st.integers(min_value=1))
def test_anchors_are_ids(arm: str, number: int, search: int) -> None:
    anchor = wording.trial_anchor(arm, number, search)
    assert anchor.isascii()
    assert not set(anchor) & set(" \t\n\"'<>#%")


def test_the_first_search_keeps_the_anchors_of_old_pages() -> None:
    assert wording.trial_anchor("depth=2", 7) == "trial-depth=2-7"
    assert wording.trial_anchor("depth=2", 7, 2) == "trial-depth=2:2-7"
    assert wording.replicate_anchor("depth=2", 7, 2) == "replicate-depth=2:2-7"


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(1, "search", "1 search"), (3, "search", "3 searches"), (2, "epoch", "2 epochs")],
)
def test_plural(number: int, noun: str, text: str) -> None:
    assert wording.counted(number, noun) == text


@pytest.mark.parametrize(
    ("json", "words"),
    [
        (
            {
                "name": "IntDistribution",
                "attributes": {"log": True, "step": 1, "low": 4, "high": 9},
            },
            "whole numbers 4 to 9, on a log scale",
        ),
        (
            {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 0.5, "step": 0.1}},
            "0 to 0.5 in steps of 0.1",
        ),
        (
            {"name": "CategoricalDistribution", "attributes": {"choices": ["gru", None, True]}},
            "one of gru, –, yes",
        ),
        ("something else", "something else"),
    ],
)
def test_distributions_in_words(json: Any, words: str) -> None:
    assert wording.distribution_text(json) == words
