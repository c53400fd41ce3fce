"""A study stays with its database, and what is on file stays with its trials."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from session_testing import Pool, dying_after, options, outcome
from toys import losses

from harness.core.errors import UserError
from harness.results.records import read_records
from harness.study import plan, session

pytestmark = pytest.mark.usefixtures("no_sections", "toy_pool")


@pytest.fixture
def root(file: Path) -> Path:
    return file.parent / "runs" / "mine"


def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The trainings that workers are asked for from now on."""
    asked: list[str] = []

    def watching(request: Any) -> list[float]:
        asked.append(request.task)
        return losses(request)

    monkeypatch.setattr(Pool, "curve_of_all", staticmethod(watching))
    return asked


def test_a_study_stays_in_the_database_it_began_in(
    file: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(file.parent)
    first = outcome(file, capsys, storage="sqlite:///elsewhere.db")
    asked = trained(monkeypatch)
    monkeypatch.chdir("/")  # a relative path must not move with the current directory
    assert outcome(file, capsys) == first
    assert asked == []
    assert not (root / "study.db").exists()
    outcome(file, capsys, trials=7)
    assert set(asked) >= {"depth=1/6", "depth=2/6"}
    assert first["storage"] == f"sqlite:///{file.parent}/elsewhere.db"


def test_another_database_than_the_studys_is_refused(file: Path) -> None:
    session.run(options(file))
    with pytest.raises(UserError, match=r"missing, and .* has trials; put it back, name its place"):
        session.run(options(file, storage=f"sqlite:///{file.parent}/other.db"))
    assert not (file.parent / "other.db").exists()
    sqlite3.connect(file.parent / "other.db").close()
    (file.parent / "other.db").write_bytes((file.parent / "runs/mine/study.db").read_bytes())
    assert session.run(options(file, storage=f"sqlite:///{file.parent}/other.db")) == 0


def test_a_run_directory_that_was_moved_keeps_its_own_database(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = outcome(file, capsys)
    (file.parent / "runs").rename(file.parent / "moved")
    asked = trained(monkeypatch)
    again = outcome(file, capsys, runs=file.parent / "moved")
    assert asked == []
    assert again["storage"] == f"sqlite:///{file.parent}/moved/mine/study.db"
    assert {**again, "storage": "", "report": ""} == {**first, "storage": "", "report": ""}


@pytest.mark.parametrize("content", [None, b""])
def test_a_database_that_is_lost_is_refused_beside_trials(
    file: Path, root: Path, content: bytes | None
) -> None:
    session.run(options(file))
    (root / "study.db").unlink()
    if content is not None:
        (root / "study.db").write_bytes(content)
    with pytest.raises(UserError, match=r"study\.db, the study's database, is (missing|empty)"):
        session.run(options(file))


def test_an_older_copy_of_the_database_is_refused(file: Path, root: Path) -> None:
    session.run(options(file, trials=2))
    older = (root / "study.db").read_bytes()
    session.run(options(file, trials=3))
    (root / "study.db").write_bytes(older)
    with pytest.raises(UserError, match="0002 is on file, but the database has no such trial"):
        session.run(options(file, trials=3))


def test_a_trial_that_was_changed_in_the_database_is_refused(file: Path, root: Path) -> None:
    session.run(options(file))
    with sqlite3.connect(root / "study.db") as connection:
        connection.execute("UPDATE trial_values SET value = value - 0.3")
    connection.close()
    with pytest.raises(UserError, match=r"result\.json and the database disagree about value"):
        session.run(options(file))


def test_a_lost_result_file_is_written_again_from_the_database(
    file: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = outcome(file, capsys)
    best = first["arms"][0]["best"]["trial"]
    before = json.loads((root / f"trials/depth=1/{best:04d}/result.json").read_text())
    (root / f"trials/depth=1/{best:04d}/result.json").unlink()
    shutil.rmtree(root / "trials/depth=2/0005")
    with pytest.raises(UserError, match=r"result\.json is missing.* and 1 more like it|is missing"):
        read_records(root)
    asked = trained(monkeypatch)
    capsys.readouterr()
    assert session.run(options(file, quiet=False)) == 0
    err = capsys.readouterr().err
    assert f"{best:04d}/result.json is written again from the database (it is missing)" in err
    assert "of its epochs it has the validation losses only" in err  # of the folder that was lost
    assert asked == []
    assert outcome(file, capsys) == first
    after = json.loads((root / f"trials/depth=1/{best:04d}/result.json").read_text())
    times = {"started", "finished", "sha256"}
    assert {k: after[k] for k in before.keys() - times} == {
        k: before[k] for k in before.keys() - times
    }


def test_a_lost_replicate_is_trained_again_to_the_same(
    file: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = outcome(file, capsys)
    scores = root / "replicates" / "depth=1" / "seed=2" / "scores.npy"
    scores.write_bytes(scores.read_bytes()[:-1] + b"\7")
    with pytest.raises(UserError, match=r"seed=2: scores\.npy has changed; put a good copy back"):
        read_records(root)
    asked = trained(monkeypatch)
    capsys.readouterr()
    assert session.run(options(file, quiet=False)) == 0
    assert "seed=2 is trained again (scores.npy has changed)" in capsys.readouterr().err
    assert asked == ["depth=1/2"]
    assert outcome(file, capsys) == first
    assert (root / "replicates" / "depth=1" / "damaged,seed=2" / "scores.npy").exists()


@pytest.mark.parametrize(
    "name", ["depth=1", "baseline=bag", "baseline=linear", "baseline=majority"]
)
@pytest.mark.parametrize("what", ["the folder", "its files", "of all seeds"])
def test_a_finished_study_knows_what_it_had(
    file: Path, root: Path, capsys: pytest.CaptureFixture[str], name: str, what: str
) -> None:
    first = outcome(file, capsys)
    folder = root / "replicates" / name / ("" if what == "of all seeds" else "seed=5")
    shutil.rmtree(folder)
    if what == "its files":
        folder.mkdir()
    number = "5 replicates" if what == "of all seeds" else "1 replicate"
    with pytest.raises(UserError, match=f"{number} of {name}, which ha.* ended, cannot be found"):
        read_records(root)
    assert session.run(options(file, quiet=False)) == 0
    assert f"{number} of {name} cannot be found: trained again" in capsys.readouterr().err
    assert outcome(file, capsys) == first


def test_a_lost_candidate_is_trained_again_and_the_replicates_stay(
    file: Path, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = outcome(file, capsys)
    best = json.loads((root / "replicates/baseline=bag/seed=1/result.json").read_text())["params"]
    (folder,) = (
        each.parent
        for each in root.glob("replicates/baseline=bag/candidate=*/result.json")
        if json.loads(each.read_text())["params"] == best
    )
    shutil.rmtree(folder)
    asked = trained(monkeypatch)
    assert session.run(options(file, quiet=False)) == 0
    assert "1 candidate of baseline=bag cannot be found" in capsys.readouterr().err
    assert len(asked) == 1
    assert outcome(file, capsys) == first


def test_a_start_that_was_cut_off_is_nobodys(file: Path, root: Path) -> None:
    """The database is there, with or without all of its tables, and no manifest."""
    with dying_after(0):
        session.run(options(file))
    for statement in (None, "DROP TABLE trials"):
        shutil.rmtree(root / "trials")
        (root / "manifest.json").unlink()
        with sqlite3.connect(root / "study.db") as connection:
            for table in ("trials", "study_user_attributes"):
                connection.execute(f"DELETE FROM {table}")
            if statement is not None:
                connection.execute(statement)
        connection.close()
        with dying_after(0):
            session.run(options(file))
    assert session.run(options(file)) == 0


def test_what_dead_processes_have_left_goes(
    file: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = outcome(file, capsys)
    dead, trial = 4_000_000, root / "trials" / "depth=1" / "0001"
    litter = [
        root / f".manifest.json.{dead}.tmp",
        root / "best" / f".model.keras.{dead}.tmp",
        root / "replicates" / "depth=1" / "seed=1" / f".model.keras.{dead}.tmp.keras",
        root.parent / f".index.html.{dead}.tmp",
        trial / "started.json",
        trial / "checkpoint" / "0001-00000000.json",
    ]
    for each in litter:
        each.parent.mkdir(exist_ok=True)
        each.write_text("half")
    assert outcome(file, capsys) == first
    assert [each for each in litter if each.exists()] == []


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_written(
    file: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "why_no_gpu", lambda: "this machine shows no GPU")
    with pytest.raises(UserError, match="shows no GPU; give --device auto or --device cpu"):
        session.run(options(file, device="gpu"))
    assert not root.exists()


def test_fresh_moves_anything_aside(file: Path, root: Path) -> None:
    session.run(options(file))
    for damage in ("manifest.json", "study.db"):
        (root / damage).unlink()
        (root / damage).mkdir()
        session.run(options(file, fresh=True))
    assert (root.parent / "mine.old-2" / "study.db").is_dir()
