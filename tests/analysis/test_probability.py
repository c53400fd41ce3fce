"""The probability that an arm is the best one: its value, its limits, and whether it is right."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.analysis import compare
from harness.analysis.blocks import Trainings, trainings_of
from harness.analysis.probability import DRAWS, best

ERROR = 3 / math.sqrt(DRAWS)


def arm(*cells: float, examples: int = 1_000, first: int = 0) -> Trainings:
    """In search s the share `cells[s]` of examples is right, from number `first` on."""
    order = np.roll(np.arange(examples) / examples, first)
    return trainings_of(np.array([[order < share] for share in cells]))


def as_array(trainings: Trainings) -> Any:
    return np.array([[each] for each in trainings.values()])


def test_three_arms_share_one_as_students_t_says() -> None:
    table = np.array([[0.80, 0.84, 0.82], [0.81, 0.85, 0.82], [0.79, 0.86, 0.83]])
    arms = {f"arm {i}": arm(*row, first=100 * i) for i, row in enumerate(table)}
    found = best(arms, list(arms), searched=True)
    assert sum(found.values()) == pytest.approx(1.0)
    left = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    by_example = np.array([as_array(each).mean((0, 1)) for each in arms.values()])
    covariance = np.eye(3) * (left**2).sum() / 4 / 3 + np.cov(by_example, ddof=0) / 1_000
    for i, others in enumerate(((1, 2), (0, 2), (0, 1))):
        contrast = np.zeros((2, 3))
        contrast[:, i] = -1
        contrast[[0, 1], others] = 1
        expected = stats.multivariate_t.cdf(
            np.zeros(2), contrast @ table.mean(1), contrast @ covariance @ contrast.T, df=4,
            random_state=1, maxpts=100_000,
        )  # fmt: skip
        assert found[f"arm {i}"] == pytest.approx(expected, abs=ERROR)


def test_what_arms_have_in_common_does_not_count() -> None:
    table = {"a": (0.80, 0.84), "b": (0.805, 0.846), "c": (0.81, 0.85)}
    same = best({name: arm(*row) for name, row in table.items()}, list(table), searched=True)
    other = best(
        {name: arm(*row, first=300 * i) for i, (name, row) in enumerate(table.items())},
        list(table),
        searched=True,
    )
    assert same["c"] > 0.9 > 0.7 > other["c"] > 1 / 3


def test_a_wild_arm_does_not_hide_which_of_the_calm_ones_is_best() -> None:
    random = np.random.default_rng(3)
    calm = {
        f"arm {i}": arm(*(mean + random.normal(0.0, 0.002, 6)), examples=5_000)
        for i, mean in enumerate((0.80, 0.80, 0.83))
    }
    wild = arm(0.3, 0.9, 0.5, 0.8, 0.4, 0.7, examples=5_000)
    found = best({**calm, "wild": wild}, [*calm, "wild"], searched=True)
    assert found["arm 0"] + found["arm 1"] < 0.001  # with a pooled residual: 0.49
    assert 0.01 < found["wild"] < 0.2  # it may still be the best one


def test_the_probability_of_two_arms_is_that_of_their_verdict() -> None:
    arms = {"a": arm(0.80, 0.84, 0.82), "b": arm(0.81, 0.83, 0.84)}
    (verdict,) = compare({name: as_array(each) for name, each in arms.items()}, 0.005)
    found = best(arms, ["a", "b"], searched=True)
    assert found["b"] == verdict.probability
    assert sum(found.values()) == pytest.approx(1.0)


def test_the_same_scores_give_the_same_numbers() -> None:
    arms = {name: arm(0.8, share) for name, share in (("a", 0.80), ("b", 0.81), ("c", 0.83))}
    assert best(arms, list(arms), searched=True) == best(arms, list(arms), searched=True)


def test_arms_with_equal_scores_share_one_equally() -> None:
    arms = {name: arm(0.8, 0.82) for name in ("a", "b", "c", "d")}
    for share in best(arms, list(arms), searched=True).values():
        assert share == pytest.approx(1 / 4, abs=ERROR)
    arms = {name: arm(0.8, 0.82) for name in ("a", "b")}
    assert best(arms, list(arms), searched=True) == {"a": 0.5, "b": 0.5}


def test_nothing_is_known_of_one_arm_or_one_search() -> None:
    arms = {"a": arm(0.8, 0.82), "b": arm(0.7, 0.72), "c": arm(0.7)}
    assert set(best(arms, ["a", "b"], searched=True)) == {"a", "b"}
    assert best(arms, ["a", "b", "c"], searched=True) == {}
    assert best(arms, ["a"], searched=True) == {}
    assert best({"a": arm(0.8), "b": arm(0.7)}, ["a", "b"], searched=True) == {}
    assert best({}, [], searched=True) == {}


def test_an_arm_without_scores_is_left_out() -> None:
    arms = {"a": arm(0.8, 0.82), "b": arm(0.7, 0.72), "c": {}}
    assert set(best(arms, list(arms), searched=True)) == {"a", "b"}


def test_arms_may_lack_some_searches_but_not_all_that_others_have() -> None:
    arms = {"a": arm(0.80, 0.82, 0.81), "b": arm(0.70, 0.72), "c": arm(0.75, 0.77, 0.75)}
    assert best(arms, list(arms), searched=True)["a"] > 0.99
    late = {(search + 3, 1): scores for (search, _), scores in arm(0.9, 0.92).items()}
    assert best({**arms, "d": late}, [*arms, "d"], searched=True) == {}


def test_luck_that_only_some_arms_had_is_not_theirs() -> None:
    """Arm a lacks the unlucky search; where all were, it was the worst."""
    arms = {"a": arm(0.80, 0.82), "b": arm(0.81, 0.83, 0.5), "c": arm(0.805, 0.827, 0.5)}
    found = best(arms, list(arms), searched=True)
    assert found["b"] > 0.8 > 0.1 > found["a"]


def test_where_nothing_is_searched_replicates_are_the_blocks() -> None:
    random = np.random.default_rng(1)
    arms = {
        name: trainings_of(random.random((1, 4, 1_000)) < share)
        for name, share in (("a", 0.5), ("b", 0.6), ("c", 0.9))
    }
    assert best(arms, list(arms), searched=False)["c"] > 0.99
    assert best(arms, list(arms), searched=True) == {}


def test_arms_alike_have_no_clear_best(calibration: Any) -> None:
    found = calibration.likeliest(calibration.SCENARIOS[0], 3, 2, 150, 0.0)
    assert 1 / 4 < found.said.mean() < 0.7
    assert (found.said > 0.95).mean() < 0.05


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 6])
def test_the_likeliest_arm_is_the_best_about_as_often_as_said(
    calibration: Any, number: int
) -> None:
    families = 150
    found = calibration.likeliest(calibration.SCENARIOS[number], 3, 2, families, calibration.SPREAD)
    deviation = math.sqrt((found.said * (1 - found.said)).sum()) / families
    assert abs(found.right.mean() - found.said.mean()) < 3 * deviation + 0.03
