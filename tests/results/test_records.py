"""The run directory: atomic writes, tables, what is damaged."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from harness.core import files
from harness.core.errors import UserError
from harness.results.records import EPOCH_COLUMNS, TRIAL_COLUMNS, read_records
from harness.results.run_directory import RunDirectory, read_epochs
from harness.results.tables import to_csv


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "x.json"
    files.write_atomically(file, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(file, "new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.json"]


def test_json_has_no_nan() -> None:
    value = {"a": float("nan"), "b": [1.0, float("inf")], "c": (1, "x")}
    assert json.loads(files.to_json(value)) == {"a": None, "b": [1.0, None], "c": [1, "x"]}


def test_csv_cells_start_no_formula() -> None:
    table = pd.DataFrame({"reason": ["=cmd()", "+1", "plain", None], "value": [-1.0, 2.0, 3.0, 4]})
    assert to_csv(table).splitlines() == [
        "reason,value", "'=cmd(),-1.0", "'+1,2.0", "plain,3.0", ",4.0",
    ]  # fmt: skip


def test_an_epoch_line_cut_short_ends_the_epochs(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n{"epo')
    assert [epoch["epoch"] for epoch in read_epochs(tmp_path)] == [1, 2]
    assert list(read_epochs(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "holds no study"),
        ("{", "is damaged"),
        ("[]", "schema None"),
        ('{"schema": 99}', "schema 99"),
        ("\xff\xfe", "is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_read(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=message):
        RunDirectory(tmp_path).read_manifest()


def test_moving_aside_never_overwrites(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path / "x")
    assert directory.move_aside() is None
    for number in (1, 2):
        directory.root.mkdir()
        (directory.root / "mark").write_text(str(number))
        assert directory.move_aside() == tmp_path / f"x.old-{number}"
    assert (tmp_path / "x.old-1" / "mark").read_text() == "1"


def test_tables_without_rows_have_their_columns(tmp_path: Path) -> None:
    manifest = {"schema": 1, "study": "x", "arms": [{"name": "all", "values": {}}],
                "spec": {"budget": {"trials": 1}}}  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    records = read_records(tmp_path)
    assert list(records.trials.columns) == list(TRIAL_COLUMNS)
    assert list(records.epochs.columns) == list(EPOCH_COLUMNS)
    assert not records.finished
