"""The recommended arm: what it costs against the best one, and what it saves."""

import json
import re
from pathlib import Path

import pytest
from report_testing import change_replicate, write_accuracies, write_replicate

from harness.analysis.conclusions import Recommendation
from harness.analysis.verdicts import conclude
from harness.results.records import read_records


def recommended(root: Path) -> Recommendation:
    found = conclude(read_records(root)).recommended
    assert found is not None
    return found


def test_the_cheapest_of_arms_alike_is_taken_and_its_loss_told(tmp_path: Path) -> None:
    found = recommended(write_accuracies(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.870}))
    assert found.arm == "depth=1"
    assert found.loss_interval is not None
    told = re.fullmatch(
        r"taking depth 1 instead of depth 2, which has the highest mean, costs (\S+) points, at "
        r"most (\S+); its step is 2\.0 times as fast\. It is the cheapest arm within the margin of "
        r"0\.5 points, and was shown to be equivalent to depth 2\.",
        found.reason,
    )
    assert told is not None, found.reason
    assert told[1] == f"{100 * found.loss:.1f}"
    assert told[2] == f"{100 * found.loss_interval.high:.1f}"
    assert 0 < found.loss < found.loss_interval.high < 0.005


def test_a_loss_that_may_be_larger_than_the_margin_is_told(tmp_path: Path) -> None:
    accuracies = {"depth=1": 0.866, "depth=2": 0.870}
    found = recommended(write_accuracies(tmp_path / "s", accuracies, n=1000, searches=2))
    assert found.loss_interval is not None
    assert found.loss < 0.005 < found.loss_interval.high
    assert f", at most {100 * found.loss_interval.high:.1f};" in found.reason
    assert found.reason.endswith("within the margin of 0.5 points, and was not shown to be worse.")


def test_a_loss_just_above_the_margin_has_a_second_decimal(tmp_path: Path) -> None:
    accuracies = {"depth=1": 0.866, "depth=2": 0.870}
    found = recommended(write_accuracies(tmp_path / "s", accuracies, n=1000, searches=3))
    assert "at most 0.54; " in found.reason


def test_one_search_has_no_most(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.870}, searches=1)
    found = recommended(root)
    assert (found.arm, found.loss_interval) == ("depth=1", None)
    assert f"costs {100 * found.loss:.1f} points; its step is 2.0 times as fast." in found.reason
    assert "at most" not in found.reason


def test_without_any_step_times_only_the_loss_is_told(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.870}, searches=2)
    for search in (1, 2):
        change_replicate(root, "depth=2", 1, search=search, step_ms=None)
    for number, file in enumerate(sorted((root / "trials").rglob("result.json"))):
        record = json.loads(file.read_text())
        file.write_text(json.dumps({**record, "step_ms": 15.0 + number % 2}))
    # Replicates of a group have none: the trials that they repeat have.
    found = conclude(read_records(root)).arms["depth=2"]
    assert found.step_ms is not None
    assert 15.0 <= found.step_ms <= 16.0
    assert conclude(read_records(root)).arms["depth=1"].step_ms == 10.0
    for file in (root / "trials").rglob("result.json"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "step_ms": None}))
    found_without = recommended(root)
    assert found_without.arm == "depth=1"
    assert "its step" not in found_without.reason


def test_an_arm_shown_to_be_better_is_taken_at_its_price(tmp_path: Path) -> None:
    found = recommended(write_accuracies(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87}))
    assert (found.arm, found.loss) == ("depth=2", 0.0)
    assert found.reason == (
        "depth 2 has the highest mean; the best of the cheaper arms, depth 1, is 6.7 points lower, "
        "shown to be worse."
    )


def test_an_arm_far_behind_is_not_taken_because_nothing_is_certain(tmp_path: Path) -> None:
    """Two searches prove little, but 6 points are too much to give up."""
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.86}, n=40, searches=2)
    found = conclude(read_records(root))
    assert found.pairs[0].comparison.verdict == "inconclusive"
    assert found.recommended is not None
    assert found.recommended.arm == "depth=2"


def test_an_arm_left_out_is_not_flattered_by_the_luck_of_its_searches(tmp_path: Path) -> None:
    """Depth 1 was found worse after three searches; the later ones were unlucky for all."""
    root = tmp_path / "s"
    write_accuracies(root, {"depth=1": 0.84, "depth=2": 0.87, "depth=3": 0.868}, searches=3)
    for search in (4, 5, 6):
        for arm, accuracy in (("depth=2", 0.80), ("depth=3", 0.798)):
            write_replicate(root, arm, 1, accuracy, 4000, search=search, seed=search)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["spec"]["searches"] = 6
    manifest["left_out"] = {"depth=1": 3}
    (root / "manifest.json").write_text(json.dumps(manifest))
    found = conclude(read_records(root))
    arms = found.arms
    assert (arms["depth=1"].mean or 0) > (arms["depth=2"].mean or 0)
    assert (arms["depth=1"].comparable or 0) < (arms["depth=2"].comparable or 0) - 0.02
    assert arms["depth=2"].comparable == pytest.approx(arms["depth=2"].mean)
    assert found.recommended is not None
    assert found.recommended.arm in ("depth=2", "depth=3")
    assert set(found.front) <= {"depth=2", "depth=3", "depth=1"}
