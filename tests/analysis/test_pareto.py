"""The Pareto front of costs and values."""

import math

from harness.analysis.pareto import pareto_front


def test_the_pareto_front_keeps_what_nothing_beats() -> None:
    costs = [3.0, 1.0, 2.0, 2.0, 5.0, math.nan, 4.0]
    values = [0.8, 0.5, 0.7, 0.6, 0.8, 0.9, 0.9]
    assert pareto_front(costs, values) == [1, 2, 0, 6]
    assert pareto_front([], []) == []
