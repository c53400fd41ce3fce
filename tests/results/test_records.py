"""Records: what a study has on file, as tables."""

import json
from pathlib import Path

from report_testing import write_run

from harness.results.records import EPOCH_COLUMNS, TRIAL_COLUMNS, read_records
from harness.results.run_directory import RunDirectory


def test_tables_without_rows_have_their_columns(tmp_path: Path) -> None:
    manifest = {"schema": 1, "study": "x", "arms": [{"name": "all", "values": {}}],
                "spec": {"budget": {"trials": 1}}}  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    records = read_records(tmp_path)
    assert list(records.trials.columns) == list(TRIAL_COLUMNS)
    assert list(records.epochs.columns) == list(EPOCH_COLUMNS)
    assert not records.finished


def test_a_trial_that_is_only_trained_along_is_not_a_trial_yet(tmp_path: Path) -> None:
    """A companion has a checkpoint before it is asked for; those between may have none."""
    root = write_run(tmp_path / "lstm_depth")
    before = len(read_records(root).trials)
    checkpoint = RunDirectory(root).trial("depth=1", 90) / "checkpoint"
    checkpoint.mkdir(parents=True)
    (checkpoint / "state.npz").touch()
    assert len(read_records(root).trials) == before
