"""The database: real SQLite files, whole, damaged and read-only."""

import sqlite3
import sys
from pathlib import Path

import optuna
import pytest
from toys import ToyPool, run_search, toy_study

from harness.core.errors import UserError
from harness.results.run_directory import RunDirectory
from harness.search.database import open_storage, shown, sqlite_url, user_errors


@pytest.mark.parametrize("folder", ["plain", "{brace}", "a b", "per%cent", "que?stion", "ü#"])
def test_any_path_opens_and_opens_again(tmp_path: Path, folder: str) -> None:
    file = tmp_path / folder / "study.db"
    file.parent.mkdir()
    storage = open_storage(sqlite_url(file))
    optuna.create_study(storage=storage, study_name="x").ask()
    assert file.stat().st_size > 0
    again = optuna.load_study(storage=open_storage(sqlite_url(file)), study_name="x")
    assert len(again.trials) == 1


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    file.write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match="damaged or not a SQLite database"):
        open_storage(sqlite_url(file))
    assert file.read_bytes() == b"not a database" * 100


@pytest.mark.parametrize("tenth", range(1, 10))
def test_a_truncated_database_is_refused_untouched(tmp_path: Path, tenth: int) -> None:
    file = tmp_path / "study.db"
    study = optuna.create_study(storage=open_storage(sqlite_url(file)), study_name="x")
    study.add_trials([optuna.trial.create_trial(value=float(i)) for i in range(20)])
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * tenth // 10])
    part = file.read_bytes()
    with pytest.raises(UserError, match="damaged"):
        open_storage(sqlite_url(file))
    assert file.read_bytes() == part


def test_a_read_only_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    optuna.create_study(storage=open_storage(sqlite_url(file)), study_name="x")
    url = f"sqlite:///file:{file}?mode=ro&uri=true"
    storage = open_storage(url)
    with pytest.raises(UserError, match="can't be written; make it writable"), user_errors("x"):
        optuna.load_study(storage=storage, study_name="x").ask()


def test_a_full_disk_is_one_line_and_what_was_there_stays(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    storage = open_storage(sqlite_url(file))
    study = optuna.create_study(storage=storage, study_name="x")
    study.tell(study.ask(), 1.0)

    def full() -> None:
        # SQLite's own word for a full disk, from a page limit instead of a disk.
        with storage.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
            for _ in range(10_000):
                connection.exec_driver_sql(
                    "INSERT INTO studies (study_name) VALUES (hex(randomblob(200)))"
                )

    with pytest.raises(UserError, match="the disk is full; free some space"), user_errors("x"):
        full()
    assert len(optuna.load_study(storage=sqlite_url(file), study_name="x").trials) == 1


def test_a_database_of_a_newer_optuna_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "study.db"
    open_storage(sqlite_url(file))
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'v99.0.0.a'")
    connection.close()
    with pytest.raises(UserError, match="another version of Optuna"):
        open_storage(sqlite_url(file))


@pytest.mark.parametrize("url", ["nonsense", "", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(UserError, match=r"^storage:"):
        open_storage(url)


def test_passwords_are_not_shown() -> None:
    assert "secret" not in shown("postgresql+psycopg://me:secret@host/db")


def test_a_missing_driver_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UserError, match=r"driver is not installed; pip install 'psycopg"):
        open_storage("postgresql+psycopg://me:secret@127.0.0.1:1/x")


def test_other_tools_see_what_a_value_is(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    arms = run_search(directory, toy_study(), ToyPool())
    url = f"sqlite:///{directory.database}"
    names = [summary.study_name for summary in optuna.get_all_study_summaries(url)]
    stored = {name: optuna.load_study(study_name=name, storage=url) for name in names}
    # As a database of an earlier version; a claim, which every session makes, names it.
    assert [study.metric_names for study in stored.values()] == [None, None]
    for arm in arms:
        arm.claim("0" * 64)
    again = [optuna.load_study(study_name=name, storage=url) for name in names]
    assert [study.metric_names for study in again] == [["val_loss"], ["val_loss"]]
    assert all(0 < t.user_attrs["val_accuracy"] < 1 for study in again for t in study.trials)
