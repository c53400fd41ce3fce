"""The object that `--json` prints."""

import json
from pathlib import Path

import pandas as pd
import pytest
from report_testing import write_accuracies, write_run

from harness.analysis import summary
from harness.analysis.verdicts import conclude
from harness.core import files
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory


def test_without_replicates_the_lowest_validation_loss_is_named(tmp_path: Path) -> None:
    records = read_records(write_run(tmp_path / "s", trials=3))
    assert conclude(records).recommended is None
    best = summary.best_trials(records)
    assert summary.recommended_arm(records) == best["arm"].iloc[int(best["value"].argmin())]
    assert summary.summarise(records, "page")["verdicts"] == []


def test_missing_replicates_leave_the_recommendation_open(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87})
    manifest = RunDirectory(root).read_manifest()
    manifest["spec"]["replicates"] = 2
    (root / "manifest.json").write_text(files.to_json(manifest))
    records = read_records(root)
    assert records.replicates_missing == 2 * 5  # a second one of each search
    assert summary.confirmed_recommendation(records) is None


def test_arms_and_verdicts_have_probabilities(tmp_path: Path) -> None:
    accuracies = {"depth=1": 0.860, "depth=2": 0.870, "depth=3": 0.868}
    outcome = summary.summarise(read_records(write_accuracies(tmp_path / "s", accuracies)), "page")
    best = {arm["arm"]: arm["probability_best"] for arm in outcome["arms"]}
    assert sum(best.values()) == pytest.approx(1.0)
    assert best["depth=2"] > best["depth=3"] > best["depth=1"]
    for verdict in outcome["verdicts"]:
        assert (verdict["probability"] > 0.5) == (verdict["difference"] > 0)


def test_one_search_or_one_arm_has_no_probability(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.86, "depth=2": 0.80}, searches=1)
    outcome = summary.summarise(read_records(root), "page")
    assert [arm["probability_best"] for arm in outcome["arms"]] == [None, None]
    assert outcome["verdicts"][0]["probability"] is None
    alone = summary.summarise(
        read_records(write_accuracies(tmp_path / "t", {"depth=1": 0.86})), "page"
    )
    assert [arm["probability_best"] for arm in alone["arms"]] == [None]


def test_verdicts_are_written_as_a_table(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87})
    summary.write_verdicts(read_records(root))
    table = pd.read_csv(root / "tables" / "verdicts.csv")
    assert table[["a", "b", "verdict"]].to_numpy().tolist() == [["depth=2", "depth=1", "better"]]
    assert 0.99 < table["probability"][0] <= 1.0
    assert table["low"][0] < table["difference"][0] < table["high"][0]


def test_each_arm_has_the_progress_of_its_searches(tmp_path: Path) -> None:
    records = read_records(write_run(tmp_path / "s", searches=3))
    outcome = json.loads(files.to_json(summary.summarise(records, "page")))
    for arm in outcome["arms"]:
        found, expected = arm["search_progress"], conclude(records).progress[arm["arm"]]
        assert set(found) == {"trials", "expected_best", "gain_from_ten_more", "edges"}
        assert found["trials"] == 10
        assert found["expected_best"] == pytest.approx(expected.expected_best)
        assert found["gain_from_ten_more"] == pytest.approx(expected.gain)
        assert {"name": "sequence_length", "value": 200, "edge": "highest"} in found["edges"]


def test_nothing_searched_has_no_progress_of_searches(tmp_path: Path) -> None:
    root = write_run(tmp_path / "s", trials=1)
    manifest = RunDirectory(root).read_manifest()
    manifest["spec"]["search"] = {}
    (root / "manifest.json").write_text(files.to_json(manifest))
    outcome = summary.summarise(read_records(root), "page")
    assert [arm["search_progress"] for arm in outcome["arms"]] == [None] * 4
