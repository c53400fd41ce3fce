"""Arms by searches: what is known of the design is found, and alike arms stay together."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.analysis import compare


def scores(*cells: tuple[float, ...], examples: int = 1_000, replicates: int = 1) -> Any:
    """(searches, replicates, examples): in search s the share `cells[s]` of examples is right."""
    order = np.arange(examples) / examples
    return np.array([[order < share] * replicates for share in cells])


def test_the_error_is_the_residual_of_a_two_way_table() -> None:
    table = np.array([[0.80, 0.84, 0.82], [0.83, 0.88, 0.84], [0.78, 0.83, 0.83]])
    arms = {f"arm {i}": scores(*row) for i, row in enumerate(table)}
    found = {(each.a, each.b): each for each in compare(arms, 0.005)}
    assert list(found) == [("arm 1", "arm 0"), ("arm 2", "arm 0"), ("arm 2", "arm 1")]
    left = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    mean_square = (left**2).sum() / 4  # (3 - 1) arms x (3 - 1) searches
    each = found["arm 1", "arm 0"]
    by_example = arms["arm 1"].mean((0, 1)) - arms["arm 0"].mean((0, 1))
    expected = math.sqrt(2 * mean_square / 3 + by_example.var() / 1_000)
    assert each.difference == pytest.approx(0.03)
    assert each.estimate.error == pytest.approx(expected)
    p = 2 * stats.t.sf(0.03 / expected, each.estimate.freedom)
    assert each.p >= p  # corrected for the family
    assert each.probability == pytest.approx(1 - p / 2)  # not corrected
    assert each.turned().probability == pytest.approx(p / 2)
    assert not any(each.guarded for each in found.values())


def test_what_searches_share_cancels() -> None:
    lucky = {"a": scores(0.6, 0.8, 0.9), "b": scores(0.601, 0.801, 0.901)}
    (each,) = compare(lucky, 0.005)
    assert each.difference == pytest.approx(0.001)
    assert each.verdict == "equivalent"
    assert -0.005 <= each.interval.low <= each.interval.high <= 0.005


def test_one_search_says_nothing_about_arms() -> None:
    arms = {"a": scores(0.9, replicates=5), "b": scores(0.5, replicates=5)}
    (each,) = compare(arms, 0.005)
    assert (each.verdict, each.reason, each.p) == ("inconclusive", "one search", 1.0)
    assert each.probability is None
    assert each.difference == pytest.approx(-0.4)
    assert math.isinf(each.interval.high)


def test_where_nothing_is_searched_replicates_are_the_blocks() -> None:
    random = np.random.default_rng(1)
    a, b = (random.random((1, 6, 2_000)) < share for share in (0.9, 0.5))
    (each,) = compare({"a": a, "b": b}, 0.005, searched=False)
    assert each.verdict == "worse"
    assert each.reason == "the whole interval is below 0"
    (single,) = compare({"a": a[:, :1], "b": b[:, :1]}, 0.005, searched=False)
    assert (single.verdict, single.reason) == ("inconclusive", "one seed")


def test_one_arm_far_noisier_than_the_rest_keeps_its_own_variance() -> None:
    random = np.random.default_rng(0)
    arms = {
        f"arm {i}": scores(*(0.8 + random.normal(0.0, 0.001, 6)), examples=5_000) for i in range(5)
    }
    arms["wild"] = scores(0.5, 0.95, 0.6, 0.9, 0.7, 0.99, examples=5_000)
    found = compare(arms, 0.005)
    for each in found:
        assert each.guarded == ("wild" in (each.a, each.b))
        assert each.verdict == ("inconclusive" if each.guarded else "equivalent")
        assert ("noisier" in each.reason) == each.guarded


def test_arms_alike_are_rarely_told_apart_though_one_is_far_noisier() -> None:
    random, false = np.random.default_rng(4), 0
    for _ in range(800):
        cells = 0.8 + random.normal(0.0, 1.0, (4, 3)) * [[0.01], [0.01], [0.01], [0.04]]
        arms = {f"arm {arm}": row[:, None, None].repeat(2, 2) for arm, row in enumerate(cells)}
        false += any(each.verdict in ("better", "worse") for each in compare(arms, 0.0))
    assert false / 800 < 0.065  # 5 % and two standard errors


def test_a_wild_arm_does_not_hide_what_the_calm_ones_show() -> None:
    """Differences of four deviations are found beside an arm ten times as noisy."""
    random, found, false = np.random.default_rng(5), 0, 0
    for _ in range(100):
        cells = random.normal(0.0, 0.01, (4, 5)) * [[1], [1], [1], [10]] + 0.5
        alike = {f"arm {arm}": row[:, None, None].repeat(2, 2) for arm, row in enumerate(cells)}
        false += any(each.verdict in ("better", "worse") for each in compare(alike, 0.0))
        apart = {**alike, "arm 0": alike["arm 0"] + 0.04}
        found += sum(each.verdict == "worse" for each in compare(apart, 0.0)[:2])
    assert found / 200 > 0.75
    assert false <= stats.binom.ppf(0.999, 100, 0.05)


def test_arms_may_lack_the_last_searches() -> None:
    arms = {"a": scores(0.80, 0.82, 0.81, 0.83), "b": scores(0.70, 0.72), "c": scores(0.6)}
    found = {(each.a, each.b): each for each in compare(arms, 0.005)}
    assert found["b", "a"].difference == pytest.approx(-0.1)
    assert found["b", "a"].verdict == "worse"
    assert found["c", "a"].reason == "one search"
    assert found["c", "a"].difference == pytest.approx(-0.2)


def test_equal_scores_are_equivalent() -> None:
    same = scores(0.8, 0.8, 0.8)
    (each,) = compare({"a": same, "b": same}, 0.005)
    assert (each.verdict, each.p, each.difference) == ("equivalent", 1.0, 0.0)
    assert each.probability == 0.5


def test_shapes_are_checked() -> None:
    with pytest.raises(ValueError, match=r"a: scores have shape \(3, 4\), not \(searches"):
        compare({"a": np.zeros((3, 4))}, 0.005)
    with pytest.raises(ValueError, match="different numbers of examples"):
        compare({"a": np.zeros((2, 1, 5)), "b": np.zeros((2, 1, 6))}, 0.005)
    assert compare({"a": np.zeros((2, 1, 5))}, 0.005) == []
    assert compare({}, 0.005) == []


@pytest.mark.parametrize("number", range(7))
def test_arms_that_are_alike_are_seldom_told_apart(calibration: Any, number: int) -> None:
    """150 families of each scenario; the benchmark has the whole table."""
    families = 150
    false, _ = calibration.rates(calibration.SCENARIOS[number], 3, 2, families)
    # No more than chance allows for a rate of 5 %, one time in a thousand.
    assert false * families <= stats.binom.ppf(0.999, families, 0.05)
