"""The part of the variance from test examples: independent ones, and times of forecasts."""

import math
from typing import Any

import numpy as np
import pytest

from harness.analysis import examples
from harness.analysis.blocks import compare


def ar1(coefficient: float, n: int, seed: int = 0) -> np.ndarray[Any, Any]:
    noise = np.random.default_rng(seed).standard_normal(n)
    found = np.zeros(n)
    for t in range(1, n):
        found[t] = coefficient * found[t - 1] + noise[t]
    return found


def test_independent_examples_have_the_variance_of_their_mean() -> None:
    a, b = np.arange(10.0), np.arange(10.0)[::-1]
    part = examples.of_difference(a, b, None)
    assert part == (pytest.approx((a - b).var() / 10), 9.0, None)
    assert not part.too_few
    assert examples.of_mean(a, None).variance == pytest.approx(a.var() / 10)


@pytest.mark.parametrize(("coefficient", "time"), [(0.0, 1.0), (0.5, 3.0), (0.9, 19.0)])
def test_the_correlation_time_is_that_of_the_series(coefficient: float, time: float) -> None:
    """Of an AR(1) series it is (1 + c) / (1 - c)."""
    found = examples.correlation_time(ar1(coefficient, 100_000), 1)
    assert found == pytest.approx(time, rel=0.15)


@pytest.mark.parametrize("coefficient", [0.0, 0.5, 0.9])
def test_the_variance_is_that_of_means_of_such_series(coefficient: float) -> None:
    """No lower on average: the longer of two estimates counts."""
    series = [ar1(coefficient, 1_000, seed) for seed in range(200)]
    true = np.var([each.mean() for each in series])
    found = np.mean([examples.of_mean(each, 1).variance for each in series])
    assert 0.9 * true < found < 1.6 * true


def test_a_block_covers_two_horizons_and_the_correlation_time() -> None:
    assert examples.count_blocks(140, 7, 1.0) == 10
    assert examples.count_blocks(140, 1, 4.0) == 11
    assert examples.count_blocks(10_000, 1, 1.0) == examples.MOST_BLOCKS
    assert examples.count_blocks(140, 1, math.inf) == 0
    assert examples.count_blocks(50, 7, 1.0) == 3


def test_blocks_have_equal_lengths_and_the_last_times() -> None:
    found = examples.block_means(np.arange(11.0), 3)
    assert found.tolist() == [3.0, 6.0, 9.0]  # without the first two


@pytest.mark.parametrize("n", [1, 2, 3, 9])
def test_a_short_series_has_too_few_blocks(n: int) -> None:
    part = examples.of_difference(np.ones(n), np.zeros(n), 7)
    assert part.too_few
    assert part.variance == math.inf or part.blocks == 0


def test_equal_errors_have_no_variance() -> None:
    same = ar1(0.0, 200)
    assert examples.of_difference(same, same, 1).variance == 0.0


def test_the_covariance_is_over_blocks_and_has_their_freedom() -> None:
    arms = np.stack([ar1(0.5, 500, seed) for seed in (1, 2, 3)])
    found = examples.covariance(arms, 1)
    assert found is not None
    covariance, freedom = found
    assert covariance.shape == (3, 3)
    assert 4 <= freedom < examples.MOST_BLOCKS
    assert covariance[0, 0] > arms[0].var() / 500
    assert examples.covariance(arms[:, :20], 7) is None
    independent = examples.covariance(arms, None)
    assert independent is not None
    assert independent[0][1, 1] == pytest.approx(arms[1].var() / 500)


def test_verdicts_on_errors_are_the_other_way_round() -> None:
    random = np.random.default_rng(0)
    high, low = (random.normal(mean, 1.0, (4, 1, 400)) for mean in (10.0, 9.0))
    (found,) = compare({"high": high, "low": low}, 0.1, higher_is_better=False)
    assert (found.a, found.b, found.verdict) == ("low", "high", "better")
    assert found.reason == "the whole interval is below 0"
    assert found.difference < 0
    assert found.probability == pytest.approx(1.0, abs=1e-3)
    assert (found.turned().verdict, found.turned().reason) == (
        "worse", "the whole interval is above 0",
    )  # fmt: skip
    assert found.turned().probability == pytest.approx(0.0, abs=1e-3)
    (found,) = compare({"high": high, "low": low}, 0.1)
    assert (found.verdict, found.reason) == ("worse", "the whole interval is below 0")
    (alike,) = compare({"one": high, "two": high + 0.01}, 0.5, higher_is_better=False)
    assert alike.verdict == "equivalent"


def test_too_few_blocks_of_time_decide_nothing() -> None:
    """However large the difference."""
    random = np.random.default_rng(0)
    scores = {arm: random.normal(mean, 0.01, (4, 1, 50)) for arm, mean in (("a", 1.0), ("b", 9.0))}
    (found,) = compare(scores, 0.01, higher_is_better=False, horizon=7)
    assert (found.verdict, found.few_times, found.p) == ("inconclusive", True, 1.0)
    assert found.reason == "the test split has too few independent blocks of time"
    assert found.probability is None
    assert math.isinf(found.interval.high)
    assert math.isinf(found.detectable)
    assert found.replicates_needed is None
    (found,) = compare(scores, 0.01, higher_is_better=False, horizon=1)
    assert found.verdict == "worse"


def test_a_pair_without_blocks_takes_no_share_of_the_level() -> None:
    """Holm's correction is for pairs that are tested."""
    random = np.random.default_rng(0)
    persistent = np.cumsum(random.standard_normal(60))
    of = {
        "a": random.normal(5.0, 1.0, (4, 1, 60)),
        "b": random.normal(9.0, 1.0, (4, 1, 60)),
        "c": random.normal(5.0, 0.1, (4, 1, 60)) + persistent,
    }
    found = {(e.a, e.b): e for e in compare(of, 0.0, higher_is_better=False, horizon=1)}
    assert [pair for pair, each in found.items() if each.few_times] == [("c", "a"), ("c", "b")]
    assert found["b", "a"].alpha == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("kind", "coefficient", "horizon", "times"),
    [
        ("bias", 0.0, 7, 200),
        ("slope", 0.9, 7, 200),
        ("constant", 0.9, 1, 200),
        ("constant", 0.9, 7, 500),
    ],
)
def test_equal_forecasters_are_seldom_told_apart(
    forecast_calibration: Any, kind: str, coefficient: float, horizon: int, times: int
) -> None:
    """A part of the benchmark: 5 % is claimed, and chance may add three standard errors."""
    studies = 150
    found = forecast_calibration.rates(coefficient, horizon, times, kind, studies)
    assert found.false <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
    assert found.independent > 0.1  # so it is no easy case


def test_a_better_forecaster_is_found(forecast_calibration: Any) -> None:
    assert forecast_calibration.rates(0.5, 1, 500, "bias", 60).found > 0.6
