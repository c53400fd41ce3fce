"""A real PostgreSQL server, started on a free loopback port: the same studies in it."""

import contextlib
import multiprocessing
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from toys import ToyPool, losses, outcomes, run_search, toy_study

from harness.core.errors import StudyHeldError, UserError
from harness.core.signals import StopRequest
from harness.results.run_directory import RunDirectory
from harness.search import database as storage
from harness.search import renaming
from harness.search.arm_search import ArmSearch
from harness.search.coordinator import Coordinator
from harness.search.copy import copy_study
from harness.search.progress import ProgressDisplay
from harness.search.renaming import delete
from harness.study.options import Options
from harness.study.overrides import command

pytestmark = pytest.mark.postgres
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


class Server:
    """PostgreSQL in a folder of its own; it refuses to run as root, so root runs it as nobody."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.user = {"user": "nobody"} if os.geteuid() == 0 else {}
        if self.user:
            os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        (folder / "password").write_text("sesame")
        (folder / "password").chmod(0o644)
        self._run("initdb", "-D", str(folder / "data"), "-U", "me", "-A", "scram-sha-256",
                  "--pwfile", str(folder / "password"), "--no-sync")  # fmt: skip
        self.control("start")

    def control(self, verb: str) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -F"
        self._run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-m", "fast",
                  "-l", str(self.folder / "log"), "-o", options, verb)  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [PROGRAMS[-1] / program, *arguments],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            **self.user,  # type: ignore[call-overload]
        )

    def url(self, database: str = "postgres", password: str = "sesame") -> str:
        return f"postgresql+psycopg://me:{password}@127.0.0.1:{self.port}/{database}"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    pytest.importorskip("psycopg", reason="needs psycopg: pip install -e '.[postgres]'")
    if not PROGRAMS:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    server = Server(folder)
    yield server
    server.control("stop")
    shutil.rmtree(folder)


@pytest.fixture
def url(server: Server, request: pytest.FixtureRequest) -> str:
    """A database of the test's own."""
    import psycopg

    name = f"test{abs(hash(request.node.name))}"
    with psycopg.connect(server.url().replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
    return server.url(name)


def search(
    url: str,
    folder: Path,
    name: str = "toy",
    curve: Callable[..., list[float]] = losses,
    trials: int = 6,
) -> dict[str, Any]:
    folder.mkdir(exist_ok=True)
    study = toy_study(budget=toy_study().budget.__class__(trials=trials, epochs=4))
    database = storage.open_storage(url)
    try:
        database.hold(name)
        arms = [ArmSearch(name, study, a, database, RunDirectory(folder)) for a in study.arms()]
        board = ProgressDisplay([arm.arm.name for arm in arms], trials, 2, 4)
        Coordinator(arms, ToyPool(2, curve=curve), board, StopRequest()).run()
        return outcomes(arms)
    finally:
        database.close()


@pytest.fixture
def expected(tmp_path: Path) -> dict[str, Any]:
    folder = tmp_path / "expected"
    folder.mkdir()
    return outcomes(run_search(RunDirectory(folder), toy_study(), ToyPool(2)))


def test_it_resumes_and_equals_sqlite(url: str, tmp_path: Path, expected: dict[str, Any]) -> None:
    search(url, tmp_path / "a", trials=3)
    assert search(url, tmp_path / "a") == expected
    assert search(url, tmp_path / "a", trials=3) == expected  # read back from the database


def test_two_coordinators_exclude_each_other(url: str) -> None:
    first, second = storage.open_storage(url), storage.open_storage(url)
    first.hold("toy")
    with pytest.raises(StudyHeldError, match=f"in use in this database by process {os.getpid()}"):
        second.hold("toy")
    second.hold("other")
    first.close()
    third = storage.open_storage(url)
    third.hold("toy")
    third.close()
    second.close()


def test_the_server_restarts_amid_a_study(
    server: Server, url: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    restarts = []

    def slow(request: Any) -> list[float]:
        if request.task == "depth=1/2":
            server.control("stop")
            restarts.append(threading.Timer(1.5, server.control, ["start"]))
            restarts[0].start()
        return losses(request)

    assert search(url, tmp_path / "a", curve=slow) == expected
    restarts[0].join()
    assert len(restarts) == 1
    assert search(url, tmp_path / "a") == expected


def test_a_server_that_stays_away_is_told_and_the_study_resumes(
    server: Server, url: str, tmp_path: Path, expected: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(storage, "RETRY_S", 1.0)

    def gone(request: Any) -> list[float]:
        if request.task == "depth=1/2":
            server.control("stop")
        return losses(request)

    try:
        with (
            pytest.raises(UserError, match=r"refused.*same command again"),
            storage.user_errors("x"),
        ):
            search(url, tmp_path / "a", curve=gone)
    finally:
        server.control("start")
    assert search(url, tmp_path / "a") == expected


def test_eight_coordinators_in_one_database(
    url: str, tmp_path: Path, expected: dict[str, Any]
) -> None:
    # From an empty database: all of them find no tables yet.
    with multiprocessing.get_context("spawn").Pool(8) as processes:
        found = processes.starmap(search, [(url, tmp_path / f"{i}", f"toy{i}") for i in range(8)])
    for each in found:  # a study's name has no part in its seeds
        assert each == expected


def test_there_and_back_nothing_is_lost(url: str, tmp_path: Path) -> None:
    first, last = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"
    study = optuna.create_study(storage=storage.open_storage(first), study_name="toy/depth=1")
    study.set_user_attr("fingerprint", "abc")
    for number in range(9):
        trial = study.ask()
        trial.suggest_float("z", 1e-9, 1.0, log=True)
        trial.suggest_categorical("a", ["b", 3, None])
        trial.set_user_attr("path", {"number": [number]})
        for step, value in enumerate([0.1 + 0.2, float("nan"), float("inf")], 1):
            trial.report(value, step)
        if number < 8:
            study.tell(trial, float("-inf") if number == 2 else number / 7)
    assert copy_study("toy", first, url) == 9
    assert copy_study("toy", url, last) == 9
    with pytest.raises(UserError, match="holds a study toy already"):
        copy_study("toy", first, url)
    with pytest.raises(UserError, match="holds no study other"):
        copy_study("other", url, last)
    for found in (url, last):
        with contextlib.closing(storage.open_storage(found)) as database:
            copied = optuna.load_study(storage=database, study_name="toy/depth=1")
            same = [repr(trial) for trial in copied.trials]
            assert same == [repr(trial) for trial in study.trials]
            assert copied.user_attrs == study.user_attrs


def test_a_study_is_renamed_and_deleted_under_its_lock(url: str) -> None:
    for name in ("toy/depth=1", "toy/depth=1/search=2", "toys/all", "100%_/all"):
        with contextlib.closing(storage.open_storage(url)) as database:
            study = optuna.create_study(storage=database, study_name=name)
            study.tell(study.ask(), 0.5)
    with contextlib.closing(storage.open_storage(url)) as holder:
        holder.hold("toy")
        for act in (lambda: renaming.rename(url, ["toy"], "new"), lambda: delete(url, "toy")):
            with pytest.raises(StudyHeldError):
                act()
    with pytest.raises(UserError, match="has a study toys already"):
        renaming.rename(url, ["toy"], "toys")
    renaming.rename(url, ["toy"], "new")
    renaming.rename(url, ["toy"], "new")  # as after an interrupt
    delete(url, "100%_")
    with contextlib.closing(storage.open_storage(url)) as database:
        found = sorted(each.study_name for each in database.get_all_studies())
        assert found == ["new/depth=1", "new/depth=1/search=2", "toys/all"]
        assert len(optuna.load_study(storage=database, study_name="new/depth=1").trials) == 1


def test_a_password_is_never_shown(server: Server) -> None:
    for url in (server.url(), server.url().replace("me:sesame@", "") + "?user=me&password=sesame"):
        assert "sesame" not in storage.shown(url)
        assert "sesame" not in command(Options(name="x", storage=url))
    with pytest.raises(UserError, match=r"password authentication failed.*PGPASSWORD") as error:
        storage.open_storage(server.url(password="open"))
    assert "open@" not in str(error.value)


def test_connection_refused_is_one_line() -> None:
    pytest.importorskip("psycopg")
    began = time.monotonic()
    with pytest.raises(UserError, match=r"refused.*check --storage"):
        storage.open_storage("postgresql+psycopg://me:sesame@127.0.0.1:1/x")
    assert time.monotonic() - began < storage.RETRY_S  # one that never answered is not waited for


@pytest.mark.parametrize("kind", ["mysql+pymysql", "postgresql+asyncpg", "oracle"])
def test_other_databases_are_refused(kind: str) -> None:
    with pytest.raises(UserError, match=r"is not supported; write sqlite:///FILE or postgresql"):
        storage.check_url(f"{kind}://me:sesame@host/x")
