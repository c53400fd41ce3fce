"""Looks: what each may spend, and that the first verdict of a pair stays."""

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.analysis.blocks import BlockComparison, Trainings, compare_pairs, trainings_of
from harness.analysis.looks import Look, from_record, look_again, next_look, to_record
from harness.core.files import to_json


def levels(most: int, first: int = 3) -> list[Look]:
    looks: list[Look] = []
    for blocks in range(first, most + 1):
        looks.append(next_look(looks, blocks, most))
    return looks


def test_all_looks_together_spend_five_percent() -> None:
    looks = levels(12)
    assert sum(look.alpha for look in looks) == pytest.approx(0.05)
    # The first comes when a quarter of all searches is there: ln(1 + (e - 1) / 4).
    assert looks[0].alpha == pytest.approx(0.05 * np.log(1 + (np.e - 1) / 4))
    assert all(look.alpha > 0 for look in looks)


def test_a_study_that_goes_on_further_spends_what_is_left() -> None:
    looks = levels(12)[:4]
    further = [*looks]
    for blocks in range(7, 25):
        further.append(next_look(further, blocks, 24))
    assert sum(look.alpha for look in further) == pytest.approx(0.05)
    assert all(look.alpha > 0 for look in further)


def test_after_the_last_look_nothing_is_left() -> None:
    looks = levels(12)
    assert next_look(looks, 13, 20).alpha == pytest.approx(0.0, abs=1e-12)


def arms(shift: float, searches: int = 6) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    luck = random.normal(0, 0.02, (searches, 1, 1))
    scores = random.normal(0.8, 0.3, (1, 1, 400)) + luck
    noise = random.normal(0, 0.01, (2, searches, 2, 1))
    return {"a": scores + noise[0], "b": scores + noise[1] + shift}


def looked(
    looks: list[Look],
    pairs: list[tuple[str, str]],
    trainings: dict[str, Trainings],
    *,
    searched: bool = True,
) -> list[BlockComparison]:
    """The verdicts of the last look, where each saw the blocks up to its own."""
    found: list[BlockComparison] = []
    for look in looks:
        then = {
            arm: {key: row for key, row in of.items() if key[0 if searched else 1] <= look.blocks}
            for arm, of in trainings.items()
        }
        found = look_again(found, look, pairs, then, 0.0, searched=searched)
    return found


def test_one_look_is_a_comparison_at_its_level() -> None:
    trainings = {name: trainings_of(scores) for name, scores in arms(0.005).items()}
    (plain,) = compare_pairs([("b", "a")], trainings, 0.0, searched=True, alpha=0.01)
    (one,) = looked([Look(6, 0.01)], [("b", "a")], trainings)
    assert one.interval == plain.interval
    assert one.p == pytest.approx(min(1.0, plain.p * 5))  # below 0.05 where the look decides


def test_a_verdict_stays_when_later_searches_say_otherwise() -> None:
    scores = arms(0.1)
    scores["b"][4:] -= 0.5  # the last two searches
    trainings = {name: trainings_of(each) for name, each in scores.items()}
    looks = [Look(2, 0.001), Look(4, 0.02), Look(6, 0.02)]
    (kept,) = looked(looks, [("b", "a")], trainings)
    assert (kept.verdict, kept.look, kept.estimate.seeds) == ("better", 4, 4)
    assert kept.reason.endswith("decided after 4 searches")
    (last,) = looked(looks[:1], [("b", "a")], trainings)
    assert (last.verdict, last.look) == ("inconclusive", 2)
    assert "decided" not in last.reason


def test_where_nothing_is_searched_seeds_are_looked_at() -> None:
    scores = {name: each[:1].repeat(1, axis=0) for name, each in arms(0.1).items()}
    scores = {name: np.concatenate([each, each + 0.001], axis=1) for name, each in scores.items()}
    trainings = {name: trainings_of(each) for name, each in scores.items()}
    (found,) = looked([Look(3, 0.05)], [("b", "a")], trainings, searched=False)
    assert found.estimate.seeds == 3


def test_an_arm_that_was_left_out_keeps_its_verdict() -> None:
    scores = arms(0.1)
    trainings = {
        "a": trainings_of(scores["a"]),
        "b": trainings_of(scores["b"][:3]),
        "c": trainings_of(scores["a"] + 0.001),
    }
    looks = [Look(3, 0.03), Look(6, 0.02)]
    pairs = [("b", "a"), ("c", "a")]
    first, second = looked(looks, pairs, trainings)
    assert (first.verdict, first.estimate.seeds) == ("better", 3)
    assert second.estimate.seeds == 6 if second.look == 6 else second.verdict != "inconclusive"


def test_a_verdict_on_record_is_the_same() -> None:
    scores = arms(0.1)
    trainings = {"a": trainings_of(scores["a"]), "b": trainings_of(scores["b"])}
    # One block: errors are infinite, which JSON does not have.
    trainings["c"] = {key: row for key, row in trainings["a"].items() if key[0] == 1}
    found = looked([Look(6, 0.03)], [("b", "a"), ("c", "a")], trainings)
    again = [from_record(json.loads(to_json(to_record(each)))) for each in found]
    assert again == found
    assert [each.interval for each in again] == [each.interval for each in found]


@pytest.mark.parametrize("number", [0, 3, 6])
def test_looking_again_and_again_seldom_tells_alike_arms_apart(
    calibration: Any, number: int
) -> None:
    """40 families of a scenario, up to 8 searches; the benchmark has the whole table."""
    families = 40
    false, found, searches = calibration.settle_rates(calibration.SCENARIOS[number], 3, 8, families)
    assert false * families <= stats.binom.ppf(0.999, families, 0.05)
    assert found > 0.1
    assert 3 <= searches <= 8
