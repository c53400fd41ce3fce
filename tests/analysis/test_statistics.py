"""Statistics against published examples, other implementations, and simulations of the truth."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from harness.analysis import statistics
from harness.analysis.statistics import Interval, judge

# Hours of sleep gained with one drug less those with the other: Student (1908), "The probable
# error of a mean", Biometrika 6:1-25; the example of R's t.test.
SLEEP = ([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4],
         [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])  # fmt: skip


def test_students_sleep_example() -> None:
    found = statistics.paired(*SLEEP)
    assert found.mean == pytest.approx(1.58)
    assert found.freedom == 9
    assert found.mean / found.error == pytest.approx(4.0621, abs=5e-5)
    assert found.p == pytest.approx(0.002833, abs=5e-7)
    assert found.interval() == pytest.approx((0.7001, 2.4599), abs=5e-5)
    assert statistics.standardised(*SLEEP) == pytest.approx(4.0621 / math.sqrt(10), abs=1e-4)


def test_one_seed_gives_no_bounds() -> None:
    assert statistics.over_seeds([0.8]).interval() == (-math.inf, math.inf)
    assert statistics.over_seeds_and_examples(np.ones((1, 50))).interval() == (-math.inf, math.inf)
    assert statistics.paired([0.8], [0.1]).p == 1.0
    assert statistics.standardised([0.8], [0.1]) is None
    assert statistics.detectable(statistics.paired([0.8], [0.1])) == math.inf


def test_holms_worked_example() -> None:
    """p values 0.01, 0.04, 0.03, 0.005: the first and the last are rejected at 5 %."""
    found = statistics.holm([0.01, 0.04, 0.03, 0.005])
    assert [each.p for each in found] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [each.alpha for each in found] == pytest.approx([0.05 / 3, 0.025, 0.025, 0.0125])


@pytest.mark.parametrize("ps", [[0.2], [0.5, 0.001, 0.04, 0.04, 0.9], [0.01, 0.02, 0.03, 0.04]])
def test_holms_p_values_are_statsmodels(ps: list[float]) -> None:
    found = [each.p for each in statistics.holm(ps)]
    assert found == pytest.approx(multipletests(ps, method="holm")[1])


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=8))
def test_holms_interval_leaves_zero_out_just_when_its_p_is_below_alpha(ps: list[float]) -> None:
    found = statistics.holm(ps)
    for raw, each in zip(ps, found, strict=True):
        if abs(each.p - 0.05) > 1e-9:
            assert (raw < each.alpha) == (each.p < 0.05)


def test_the_exact_bootstrap_variance_is_what_drawing_gives() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random((6, 40)) + rng.random((6, 1)) + rng.random((1, 40))
    drawn = [
        scores[np.ix_(rng.integers(0, 6, 5), rng.integers(0, 40, 40))].mean() for _ in range(20_000)
    ]
    assert statistics.over_seeds_and_examples(scores).error == pytest.approx(
        np.std(drawn), rel=0.02
    )


def test_identical_examples_leave_students_interval() -> None:
    """Without variation between examples only the seeds count."""
    values = np.array([0.81, 0.84, 0.86, 0.80, 0.83])
    matrix = np.repeat(values[:, None], 30, axis=1)
    over_both = statistics.over_seeds_and_examples(matrix)
    over_seeds = statistics.over_seeds(values)
    assert over_both.interval() == pytest.approx(over_seeds.interval())
    assert over_both.p == pytest.approx(over_seeds.p)


@pytest.mark.parametrize(("seed_sd", "example_sd"), [(0.05, 0.02), (0.01, 0.3), (0.0, 0.2)])
def test_the_interval_over_both_covers_the_truth(seed_sd: float, example_sd: float) -> None:
    """Of 95 % intervals over 5 seeds and 100 examples, at least 93 % contain the true mean."""
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(1500):
        scores = (
            0.8
            + rng.normal(0, seed_sd, (5, 1))
            + rng.normal(0, example_sd, (1, 100))
            + rng.normal(0, 0.1, (5, 100))
        )
        low, high = statistics.over_seeds_and_examples(scores).interval()
        covered += low <= 0.8 <= high
    assert covered / 1500 >= 0.93


@pytest.mark.parametrize("arm_sd", [0.0, 1.0])
def test_arms_alike_in_truth_are_told_apart_in_no_more_than_5_percent(arm_sd: float) -> None:
    """The family-wise error over the 6 pairs of 4 arms, 5 seeds, 300 new test examples.

    With `arm_sd` other examples are hard for each arm, but equally many on average. If the true
    rate is 5 %, more than 66 of 1,000 studies show a difference in 1 of 100 runs.
    """
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(1000):
        examples = rng.normal(1.5, 1.0, (1, 300))
        arms = []
        for _ in range(4):
            logits = examples + rng.normal(0, arm_sd, (1, 300)) + rng.normal(0, 0.2, (5, 1))
            arms.append((rng.random((5, 300)) < 1 / (1 + np.exp(-logits))).astype(np.uint8))
        pairs = [(arms[i], arms[j]) for i in range(4) for j in range(i)]
        found = statistics.compare(pairs, margin=0.0)
        wrong += any(each.verdict in ("better", "worse") for each in found)
    assert wrong <= 66


def test_a_difference_that_is_there_is_found() -> None:
    rng = np.random.default_rng(3)
    p = np.clip(0.85 + 0.1 * rng.normal(size=(1, 2000)), 0, 1)
    good, bad = ((rng.random((5, 2000)) < p - worse).astype(np.uint8) for worse in (0.0, 0.05))
    (found,) = statistics.compare([(bad, good)], margin=0.005)
    assert found.verdict == "worse"
    assert found.p < 0.001
    assert found.interval.low < -0.05 < found.interval.high
    assert found.replicates_needed == 5  # it is settled
    assert found.detectable < 0.05


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.02, "better"),
        (-0.02, -0.001, "worse"),
        (-0.004, 0.005, "equivalent"),
        (0.001, 0.004, "equivalent"),
        (-0.004, 0.006, "inconclusive"),
        (-math.inf, math.inf, "inconclusive"),
        (0.0, 0.02, "inconclusive"),
    ],
)
def test_verdicts(low: float, high: float, verdict: str) -> None:
    assert judge(Interval(low, high), 0.005) == verdict


def test_arms_equal_to_the_bit_are_equivalent() -> None:
    scores = np.random.default_rng(0).integers(0, 2, (5, 100))
    (found,) = statistics.compare([(scores, scores)], margin=0.005)
    assert (found.verdict, found.difference, found.p, found.effect) == (
        "equivalent",
        0.0,
        1.0,
        None,
    )


def test_the_detectable_difference_is_statsmodels_and_cohens() -> None:
    """34 pairs show an effect of 0.5 with a power of 80 %, 33 do not quite (Cohen 1988)."""
    from statsmodels.stats.power import TTestPower

    for n in (5, 34):
        values = np.linspace(-1, 1, n)
        found = statistics.over_seeds(values)
        effect = statistics.detectable(found) / values.std(ddof=1)
        expected = TTestPower().solve_power(nobs=n, alpha=0.05, power=0.8)
        assert effect == pytest.approx(expected, rel=1e-3)
        if n == 34:
            assert effect < 0.5
    values = np.linspace(-1, 1, 33)
    assert statistics.detectable(statistics.over_seeds(values)) > 0.5 * values.std(ddof=1)


def test_the_replicates_needed_settle_it() -> None:
    """This many values of the same mean and variance exclude 0; one less does not."""
    values = np.array([0.010, -0.004, 0.012, 0.001, 0.006])
    needed = statistics.replicates_needed(statistics.over_seeds(values), margin=0.001)
    assert needed is not None
    assert needed > 5

    def low(n: int) -> float:
        spread = np.linspace(-1, 1, n)
        again = values.mean() + spread / spread.std(ddof=1) * values.std(ddof=1)
        return statistics.over_seeds(again).interval().low

    assert low(needed) >= 0 > low(needed - 1)


def test_no_number_of_replicates_makes_up_for_few_examples() -> None:
    rng = np.random.default_rng(0)
    examples = rng.normal(0.01, 0.5, (1, 50))
    matrix = examples + rng.normal(0, 0.01, (5, 50))
    assert statistics.replicates_needed(statistics.over_seeds_and_examples(matrix), 0.005) is None


def test_unpaired_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="not paired"):
        statistics.paired([1.0, 2.0], [1.0])
