"""Cells show rounded numbers and keep exact ones."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pandas as pd
import pytest

from harness.core.metrics import R2, Metric, metric_of
from reports import cells
from reports.content import Value


def test_a_number_is_shown_rounded_and_kept_exact() -> None:
    assert cells.score(Metric(), 0.85234) == Value("85.2\u00a0%", pytest.approx(85.234))
    assert cells.score(metric_of({"metric": R2}), 0.6312) == Value("0.63", 0.6312)
    assert cells.milliseconds(1234.5) == Value("1,234 ms", 1234.5)
    assert cells.loss(0.12345) == Value("0.123", 0.12345)
    assert cells.probability(0.6249) == Value("62\u00a0%", pytest.approx(62.49))
    assert cells.probability(0.0) == Value("below 1\u00a0%", 0.0)


@pytest.mark.parametrize(
    "cell", [partial(cells.score, Metric()), cells.loss, cells.count, cells.seconds]
)
def test_a_missing_number_is_a_dash(cell: Callable[[Any], object]) -> None:
    assert [cell(value) for value in (None, float("nan"), pd.NA)] == ["–"] * 3
    assert cells.probability(None) == "–"


def test_a_hyperparameter_is_a_number_or_a_word() -> None:
    assert cells.parameter(0.001234) == Value("0.00123", 0.001234)
    assert cells.parameter("gru") == "gru"
    assert cells.parameter(True) == "yes"
    assert cells.parameter([8, 4]) == "8, 4"
    assert cells.parameter(None) == "–"
