"""A renamed study resumes as if it had always had its name; a removed one is gone."""

import io
import json
import shutil
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pytest
from session_testing import options, outcome, trials_of
from typer.testing import CliRunner

from harness.commands import rename as verb_module
from harness.commands import verbs
from harness.core import files
from harness.core.errors import StudyHeldError, UserError
from harness.results import lock
from harness.results.run_directory import RunDirectory
from harness.search import renaming
from harness.search.database import sqlite_url
from harness.study import moved, session

pytestmark = pytest.mark.usefixtures("no_sections", "toy_pool")


def begin(file: Path, **changes: Any) -> Path:
    """A study of four trials an arm; returns its run directory."""
    changes = {"trials": 4, "replicates": 1, **changes}
    assert session.run(options(file, **changes)) == 0
    (root,) = (path.parent for path in file.parent.glob("runs/*/manifest.json"))
    return root


def verb(file: Path, *words: str, **more: Any) -> Any:
    runs = str(file.parent / "runs")
    done = CliRunner().invoke(verbs.app, [*words, "--runs", runs], standalone_mode=False, **more)
    if done.exception is not None:
        raise done.exception
    return done.stdout


def names_in(database: Path) -> list[str]:
    connection = sqlite3.connect(database)
    try:
        found = connection.execute("SELECT study_name FROM studies ORDER BY study_name")
        return [name for (name,) in found]
    finally:
        connection.close()


def test_a_renamed_study_resumes_as_if_nothing_had_happened(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin(file)
    assert verb(file, "rename", "mine", "other") == f"{file.parent}/runs/other\n"
    assert not (file.parent / "runs" / "mine").exists()
    root = file.parent / "runs" / "other"
    manifest = json.loads((root / "manifest.json").read_text())
    assert manifest["study"] == "other"
    assert manifest["command"].endswith("--name other")
    assert "renamed_from" not in manifest
    assert "mine" not in manifest["storage"]
    listed = (file.parent / "runs" / "index.html").read_text()
    assert "other/report.html" in listed
    assert "mine/report.html" not in listed
    assert names_in(root / "study.db") == ["other/depth=1", "other/depth=2"]

    found = outcome(file, capsys, run_name="other", trials=6, replicates=2)
    assert found["study"] == "other"
    again = trials_of(file.parent, "other")
    never = outcome(file, capsys, trials=6, replicates=2)
    columns = ["arm", "trial", "state", "value", "seed", "params_units"]
    assert again[columns].equals(trials_of(file.parent, "mine")[columns])
    assert [arm["replicates"] for arm in found["arms"]] == [
        arm["replicates"] for arm in never["arms"]
    ]


def test_the_name_of_a_quick_study_keeps_its_end(file: Path) -> None:
    root = begin(file, quick=True, trials=2)
    assert root.name == "mine-quick"
    with pytest.raises(UserError, match="no study named 'mine'"):
        verb(file, "rename", "mine", "other")
    target = moved.rename(root, "other")
    assert target.name == "other-quick"
    assert json.loads((target / "manifest.json").read_text())["command"].endswith("--name other")
    assert session.run(options(file, quick=True, trials=2, replicates=1, run_name="other")) == 0


def test_a_database_elsewhere_gets_the_new_name(file: Path) -> None:
    url = sqlite_url(file.parent / "all.db")
    root = begin(file, storage=url)
    renaming.check_free(url, "other")
    with pytest.raises(UserError, match="has a study mine already"):
        renaming.check_free(url, "mine")
    target = moved.rename(root, "other")
    assert names_in(file.parent / "all.db") == ["other/depth=1", "other/depth=2"]
    assert session.run(options(file, trials=5, replicates=1, run_name="other")) == 0
    moved.remove(target)
    assert names_in(file.parent / "all.db") == []


def test_a_copy_does_not_take_the_trials_of_the_study(file: Path) -> None:
    root = begin(file, storage=sqlite_url(file.parent / "all.db"))
    copy = root.with_name("copy")
    shutil.copytree(root, copy)
    with pytest.raises(UserError, match="is a copy of the study mine"):
        moved.rename(copy, "other")
    with pytest.raises(UserError, match="delete this folder yourself"):
        moved.remove(copy)
    assert names_in(file.parent / "all.db") == ["mine/depth=1", "mine/depth=2"]


@pytest.mark.parametrize(
    ("step", "elsewhere", "to"),
    [
        ("database", True, "other"),
        ("database", False, "third"),
        ("directory", False, "other"),
        ("directory", True, "third"),
        ("manifest", True, "third"),
    ],
)
def test_a_rename_that_was_interrupted_is_completed_by_the_same_command(
    file: Path, monkeypatch: pytest.MonkeyPatch, step: str, elsewhere: bool, to: str
) -> None:
    root = begin(file, storage=sqlite_url(file.parent / "all.db") if elsewhere else None)

    def dying(*_: object) -> None:
        raise KeyboardInterrupt

    write = moved.manifest.write

    def dying_last(to: Path, found: dict[str, Any]) -> None:
        return write(to, found) if moved.BEFORE in found else dying()

    with monkeypatch.context() as patch:
        if step == "manifest":
            patch.setattr(moved.manifest, "write", dying_last)
        else:
            patch.setattr(renaming if step == "database" else files, "rename", dying)
        with pytest.raises(KeyboardInterrupt):
            moved.rename(root, "other")
    if step != "manifest":  # nothing resumes it in between
        with pytest.raises(UserError, match="holds the study 'other', not 'mine'"):
            session.run(options(file))
    left = root if root.exists() else root.with_name("other")
    if left.name != to:
        left = moved.rename(left, to)
    assert session.run(options(file, trials=5, replicates=1, run_name=to)) == 0
    assert len(trials_of(file.parent, to)) == 10
    database = file.parent / "all.db" if elsewhere else left / "study.db"
    assert names_in(database) == [f"{to}/depth=1", f"{to}/depth=2"]


def test_names_that_are_taken_or_wrong_are_refused(file: Path) -> None:
    root = begin(file)
    (root.parent / "taken").mkdir()
    for new, complaint in (("taken", "is there already"), ("a/b", "NEW a/b: letters, digits")):
        with pytest.raises(UserError, match=complaint):
            moved.rename(root, new)
    link = root.with_name("link")
    link.symlink_to(root)
    with pytest.raises(UserError, match="is a link"):
        moved.remove(link)
    assert RunDirectory(root).read_manifest().study == "mine"


def test_a_running_study_is_left_alone(file: Path) -> None:
    root = begin(file)
    with lock.hold(RunDirectory(root).lock):
        with pytest.raises(StudyHeldError):
            moved.rename(root, "other")
        with pytest.raises(StudyHeldError):
            moved.remove(root)
    assert session.run(options(file)) == 0


def test_remove_asks_on_a_terminal_and_else_needs_a_yes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = begin(file)
    with pytest.raises(UserError, match="add --yes"):
        verb(file, "remove", "mine")

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal("n\ny\n"))
    verb_module.remove("mine", runs_directory=root.parent)
    assert root.exists()
    verb_module.remove("mine", runs_directory=root.parent)
    assert [path.name for path in root.parent.iterdir()] == ["index.html"]
    assert "mine" not in (root.parent / "index.html").read_text()


def test_remove_with_yes(file: Path) -> None:
    root = begin(file)
    assert verb(file, "remove", "mine", "--yes") == f"{root} is deleted\n"
    assert not root.exists()
