"""Files are written whole or not at all; JSON has no NaN."""

import json
import os
from pathlib import Path

import pytest

from harness.core import files


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
