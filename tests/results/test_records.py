"""Records: what a study has on file, as tables."""

import json
from pathlib import Path

from harness.results.records import EPOCH_COLUMNS, TRIAL_COLUMNS, read_records


def test_tables_without_rows_have_their_columns(tmp_path: Path) -> None:
    manifest = {"schema": 1, "study": "x", "arms": [{"name": "all", "values": {}}],
                "spec": {"budget": {"trials": 1}}}  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    records = read_records(tmp_path)
    assert list(records.trials.columns) == list(TRIAL_COLUMNS)
    assert list(records.epochs.columns) == list(EPOCH_COLUMNS)
    assert not records.finished
