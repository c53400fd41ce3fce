"""`harness cache` shows what is kept, and removes it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.commands.verbs import app
from harness.core.errors import UserError
from harness.training.program_store import ProgramStore


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with one dataset, one program, and a file of somebody else's."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    monkeypatch.setenv("HARNESS_COMPILE_CACHE", str(tmp_path / "programs"))
    (tmp_path / "imdb-1").mkdir()
    (tmp_path / "imdb-1" / "complete.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("mine")
    ProgramStore(tmp_path / "programs", "machine").save("k", {"code": b"1234"})
    return tmp_path


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["cache", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_it_shows_what_is_kept(filled: Path) -> None:
    found = json.loads(_run("--json"))
    assert found["datasets"]["entries"] == {"imdb-1": 2}
    assert found["programs"]["n"] == 1
    assert found["programs"]["bytes"] > 0
    assert "1 program, " in _run()


@pytest.mark.parametrize(
    ("kind", "datasets", "programs"), [("programs", 1, 0), ("datasets", 0, 1), ("all", 0, 0)]
)
def test_it_clears_one_kind_and_nothing_else(kind, datasets, programs, filled: Path) -> None:
    found = json.loads(_run("--clear", kind, "--json"))
    assert (found["datasets"]["n"], found["programs"]["n"]) == (datasets, programs)
    assert (filled / "notes.txt").read_text() == "mine"


def test_an_unknown_kind_is_one_line(filled: Path) -> None:
    with pytest.raises(UserError, match="name one of programs, datasets, or all"):
        _run("--clear", "everything")
    assert json.loads(_run("--json"))["programs"]["n"] == 1
