"""`harness export` copies a sound model, and refuses a damaged one or a place that is taken."""

import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.analysis.trained_model import FILES
from harness.commands import verbs
from harness.core.errors import UserError


def run(model: Path, output: Path) -> Any:
    runs = model.parents[3]
    return CliRunner().invoke(
        verbs.app,
        ["export", "words", "-o", str(output), "--runs", str(runs)],
        standalone_mode=False,
    )


def test_it_copies_three_files(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "a" / "b"
    assert run(model, out).stdout == f"{out}\n"
    assert {file.name for file in out.iterdir()} == set(FILES)
    for name in FILES:
        assert (out / name).read_bytes() == (model / name).read_bytes()
    again = run(model, out)
    assert isinstance(again.exception, UserError)
    assert "already; choose another directory" in str(again.exception)


@pytest.mark.parametrize("name", ["params.json", "model.keras", "vocabulary.txt"])
def test_a_damaged_model_is_not_copied(model: Path, tmp_path: Path, name: str) -> None:
    (model / name).write_bytes(b"\xffjunk")
    done = run(model, tmp_path / "out")
    assert isinstance(done.exception, UserError), done.exception
    assert f"{name} is damaged" in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_a_place_that_is_no_directory_is_one_line(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    for place in (file, file / "below", tmp_path / ("x" * 300)):
        done = run(model, place)
        assert isinstance(done.exception, UserError), (place, done.exception)
        assert "give -o" in str(done.exception)
        assert len(str(done.exception)) < 400
    assert file.read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_cannot_be_written_is_one_line(model: Path, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = run(model, closed / "out")
    assert isinstance(done.exception, UserError)
    assert "Permission denied" in str(done.exception)
