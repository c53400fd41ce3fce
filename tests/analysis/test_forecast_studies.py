"""Studies of forecasts: lower errors are better, in every conclusion, text and number."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from report_testing import change_replicate, write_forecasts

from harness.analysis import outcome_text, planning, summary
from harness.analysis.conclusions import Conclusions
from harness.analysis.verdicts import conclude, margin_of
from harness.core.errors import UserError
from harness.results.records import Records, read_records

ALIKE = {"depth=1": 8.0, "depth=2": 8.02, "depth=3": 9.5}
BASELINES = {"baseline=seasonal": 12.0, "baseline=ridge": 7.0}


def study(folder: Path, errors: dict[str, float], **options: Any) -> Records:
    return read_records(write_forecasts(folder / "s", errors, **options))


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Records:
    return study(tmp_path_factory.mktemp("forecasts"), {**ALIKE, **BASELINES})


@pytest.fixture(scope="module")
def found(records: Records) -> Conclusions:
    return conclude(records)


@pytest.fixture(scope="module")
def outcome(records: Records) -> dict[str, Any]:
    return summary.summarise(records, "page")


def test_the_lower_error_is_better(found: Conclusions) -> None:
    verdicts = {(p.a, p.b): p.comparison for p in (*found.pairs, *found.baseline_pairs)}
    assert verdicts["depth=3", "depth=1"].verdict == "worse"
    assert verdicts["depth=3", "depth=1"].difference > 0
    assert verdicts["depth=1", "baseline=seasonal"].verdict == "better"
    assert verdicts["depth=1", "baseline=seasonal"].interval.high < 0
    assert verdicts["depth=1", "baseline=ridge"].verdict == "worse"
    assert verdicts["depth=1", "baseline=ridge"].probability == pytest.approx(0.0, abs=1e-3)


def test_the_margin_is_a_share_of_the_best_arms_error(records: Records, found: Conclusions) -> None:
    assert margin_of(records) == 0.01
    lowest = min(arm.mean or math.inf for arm in found.arms.values())
    assert found.margin == pytest.approx(0.01 * lowest)
    assert all(pair.comparison.margin == found.margin for pair in found.pairs)


def test_a_manifest_without_a_margin_has_one_percent(tmp_path: Path) -> None:
    records = study(tmp_path, ALIKE)
    del records.manifest.spec["margin"]
    assert margin_of(records) == 0.01


def test_without_replicates_the_margin_is_of_validation_errors(tmp_path: Path) -> None:
    records = study(tmp_path, {"depth=1": 8.0}, searches=1)
    change_replicate(records.root, "depth=1", 1, state="failed")
    records = read_records(records.root)
    assert conclude(records).margin == pytest.approx(0.01 * records.trials["val_accuracy"].min())


def test_the_cheapest_arm_near_the_lowest_error_is_taken(tmp_path: Path) -> None:
    """Depth 2 has the lower error, by less than 1 %; depth 1 takes half the time."""
    found = conclude(study(tmp_path, {"depth=1": 8.03, "depth=2": 8.0, "depth=3": 6.0 + 3}))
    chosen = found.recommended
    assert chosen is not None
    assert chosen.arm == "depth=1"
    assert 0 < chosen.loss < found.margin
    assert chosen.loss_interval is not None
    assert chosen.loss_interval.low < chosen.loss < chosen.loss_interval.high
    assert "instead of depth 2, which has the lowest mean, costs 0.0" in chosen.reason
    assert "within the margin of 0.07 units" in chosen.reason


def test_a_large_loss_is_too_much(tmp_path: Path) -> None:
    found = conclude(study(tmp_path, {"depth=1": 9.0, "depth=2": 8.0}))
    assert found.recommended is not None
    assert found.recommended.arm == "depth=2"
    assert "depth 1, is 0.89" in found.recommended.reason
    assert found.recommended.reason.endswith(" units higher, shown to be worse.")


def test_the_front_and_the_probabilities_go_down(found: Conclusions) -> None:
    assert found.front == ("depth=1",)  # the fastest arm has the lowest error
    assert list(found.references.values()) == ["depth=1"] * 2
    best = found.probability_best
    assert sum(best.values()) == pytest.approx(1.0)
    assert best["depth=1"] > best["depth=2"] > best["depth=3"]


def test_intervals_of_errors_end_at_0_and_have_no_upper_end(tmp_path: Path) -> None:
    records = study(tmp_path, {"depth=1": 8.0, "depth=2": 8.0}, searches=2)
    for arm, errors in (("depth=1", (0.1, 9.0)), ("depth=2", (50.0, 150.0))):
        for search, error in enumerate(errors, start=1):
            scale(records.root, arm, search, error)
    arms = conclude(read_records(records.root)).arms
    assert arms["depth=1"].seeds is not None
    assert arms["depth=1"].seeds.low == 0.0
    assert arms["depth=2"].seeds is not None
    assert arms["depth=2"].seeds.high > 600


def scale(root: Path, arm: str, search: int, error: float) -> None:
    """Give a replicate this mean error."""
    import numpy as np

    from harness.results.run_directory import RunDirectory

    file = RunDirectory(root).replicate(arm, 1, search) / "scores.npy"
    scores = np.load(file)
    np.save(file, scores * error / scores.mean())


def test_the_json_names_unit_direction_and_measures(outcome: dict[str, Any]) -> None:
    replicates = outcome["arms"][0]["replicates"]
    assert replicates["metric"] == "MAE, units"
    assert replicates["higher_is_better"] is False
    assert list(replicates["measures"]) == ["RMSE", "MASE", "sMAPE"]
    assert replicates["measures"]["RMSE"] == pytest.approx(1.3 * replicates["mean"])
    assert replicates["measures"]["sMAPE"] is None
    named = {each["baseline"]: each["replicates"] for each in outcome["baselines"]}
    assert list(named) == ["baseline=seasonal", "baseline=ridge"]
    assert named["baseline=ridge"]["measures"]["MASE"] == pytest.approx(
        named["baseline=ridge"]["mean"] / 12.3
    )
    assert outcome["variance"]["examples"] > 0


@pytest.mark.parametrize("measures", ["none", {"RMSE": "x", "MASE": 0.5}])
def test_damaged_measures_are_refused(tmp_path: Path, measures: object) -> None:
    records = study(tmp_path, {"depth=1": 8.0}, searches=2)
    change_replicate(records.root, "depth=1", 1, measures=measures)
    with pytest.raises(UserError, match=r"result\.json is damaged"):
        read_records(records.root)


def test_the_terminal_has_the_unit(outcome: dict[str, Any], found: Conclusions) -> None:
    lines = outcome_text.terminal_lines(outcome, found)
    assert lines[1].split()[:3] == ["arm", "test", "MAE"]
    assert lines[2].split()[0] == "depth=1"
    assert lines[2].split()[1].startswith("7.")
    assert " units [" in lines[2]
    assert "%" not in lines[2]
    assert any(line.startswith("ridge autoregression  6.") for line in lines)
    depth3 = next(line for line in lines if line.startswith("Depth 3 against depth 1: "))
    assert depth3.startswith("Depth 3 against depth 1: +1.3")
    assert " units [+" in depth3
    assert "], worse; " in depth3
    assert not any("point" in line for line in lines)


def test_more_trials_are_expected_to_lower_the_error(found: Conclusions) -> None:
    for each in found.progress.values():
        assert each.expected_best[0] > each.expected_best[-1] > 0
        assert each.gain is not None
        assert each.gain > 0
    (said,) = outcome_text.improving(found)
    assert said.endswith(" units less validation MAE expected from ten more trials.")


def test_a_plan_knows_the_noise_of_times(records: Records) -> None:
    noise = planning.noise_of(records)
    assert noise is not None
    assert 0 < noise.examples < math.inf
    few = planning.smallest_difference(noise, arms=3, blocks=3, examples=200)
    assert 0 < few < 10


def test_a_short_test_part_is_inconclusive_and_says_why(tmp_path: Path) -> None:
    """Thirty days of a week's horizon are two blocks."""
    records = study(tmp_path, {"depth=1": 8.0, "depth=2": 30.0}, facts={"test_times": 30})
    found = conclude(records)
    (pair,) = found.pairs
    assert pair.comparison.verdict == "inconclusive"
    assert pair.comparison.reason == "the test split has too few independent blocks of time"
    assert found.probability_best == {}
    assert planning.noise_of(records) is not None
    line = outcome_text.sentence(found, "depth=2", "depth=1")
    assert "[no interval], inconclusive (the test split has too few" in line
    assert json.dumps(summary.summarise(records, "page")["variance"])


def test_r2_is_shown_as_a_number(tmp_path: Path) -> None:
    """0.63, not 63 %."""
    root = write_forecasts(tmp_path / "s", {"depth=1": 0.5, "depth=2": 0.45})
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["dataset"] = {"name": "adding", "metric": "R²"}
    (root / "manifest.json").write_text(json.dumps(manifest))
    records = read_records(root)
    lines = outcome_text.terminal_lines(summary.summarise(records, "page"), conclude(records))
    assert lines[2].split()[0] == "depth=1"
    assert lines[2].split()[1].startswith("0.4")
    assert "%" not in lines[2]
    assert conclude(records).recommended is not None
    against = next(line for line in lines if line.startswith("Depth 2 against depth 1: −0.0"))
    assert "points" not in against
