"""The object that `--json` prints."""

from pathlib import Path

import pandas as pd
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


def test_verdicts_are_written_as_a_table(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87})
    summary.write_verdicts(read_records(root))
    table = pd.read_csv(root / "tables" / "verdicts.csv")
    assert table[["a", "b", "verdict"]].to_numpy().tolist() == [["depth=2", "depth=1", "better"]]
    assert table["low"][0] < table["difference"][0] < table["high"][0]
