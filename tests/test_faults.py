"""What happens when something breaks: real processes, signals, locks and full disks.

`docs/reliability.md` lists each fault with what to expect; a test here or elsewhere has each row.
"""

import itertools
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from session_testing import options, use_toy_pool
from toys import ToyPool, outcomes, run_search, toy_study

from harness.core import files as files_module
from harness.core.errors import UserError
from harness.results.run_directory import RunDirectory
from harness.search import coordinator
from harness.spec.study import Budget
from harness.study import session
from harness.workers import local

pytestmark = pytest.mark.usefixtures("no_charts")

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "reliability.md"


# --- the coordinator is killed ---------------------------------------------------------------

SLOW_SEARCH = """
import sys, time
from pathlib import Path
from toys import ToyPool, losses, run_search, toy_study
from harness.results.records import RunDirectory

def slow(order):
    time.sleep(0.02)
    return losses(order)

print("go", flush=True)
run_search(RunDirectory(Path(sys.argv[1])), toy_study(), ToyPool(2, curve=slow))
"""


def _killed_search(root: Path, seconds: float) -> bool:
    """A search in a process of its own, killed after `seconds`; whether it had ended before."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_SEARCH, str(root)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"go\n"
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.wait()
    process.stdout.close()
    assert process.returncode in (0, -signal.SIGKILL)
    return process.returncode == 0


@pytest.fixture(scope="module")
def uncut(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    root = RunDirectory(tmp_path_factory.mktemp("uncut"))
    return outcomes(run_search(root, toy_study(), ToyPool(2)))


@pytest.mark.slow
def test_coordinator_killed_at_20_random_moments(ram_path: Path, uncut: dict[str, Any]) -> None:
    dice = random.Random(20)
    kills = 0
    for number in itertools.count():
        root = ram_path / str(number)
        root.mkdir()
        while kills < 20 and not _killed_search(root, dice.uniform(0.0, 0.6)):
            kills += 1
        assert outcomes(run_search(RunDirectory(root), toy_study(), ToyPool(2))) == uncut
        if kills >= 20:
            break


SCHEDULES = """
import itertools, os, random, signal, sys
from pathlib import Path
import sqlalchemy
from toys import ToyPool, run_search, toy_study
from harness.results.records import RunDirectory

def child(root, workers, commits):
    left = itertools.count(commits, -1)
    def kill(connection):
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", kill)
    run_search(RunDirectory(root), toy_study(), ToyPool(workers))
    os._exit(0)

for schedule in range(30):
    dice = random.Random(schedule)
    root = Path(sys.argv[1]) / str(schedule)
    root.mkdir()
    status, kills = None, 0
    while status != 0:
        workers, commits = dice.choice([1, 2]), dice.randrange(1, 40)
        # Forked before anything is open, so that each start costs no imports.
        process = os.fork()
        if process == 0:
            child(root, workers, commits)
        status = os.waitpid(process, 0)[1]
        assert status in (0, signal.SIGKILL), status
        kills += status != 0
    print(kills, flush=True)
"""


@pytest.mark.slow
def test_random_schedules_of_crashes_always_end_the_same(
    ram_path: Path, uncut: dict[str, Any]
) -> None:
    """30 schedules of SIGKILL before a commit, any number of times, with one worker or two."""
    done = subprocess.run(
        [sys.executable, "-c", SCHEDULES, str(ram_path)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    kills = [int(line) for line in done.stdout.split()]
    assert len(kills) == 30
    assert sum(kills) > 30
    for schedule in range(30):
        directory = RunDirectory(ram_path / str(schedule))
        found = outcomes(run_search(directory, toy_study(), ToyPool()))
        assert found == uncut, f"schedule {schedule}"
        for arm, trials in found.items():
            files = sorted((directory.root / "trials" / arm).glob("*/result.json"))
            assert [int(file.parent.name) for file in files] == [trial[0] for trial in trials]


# --- a worker goes wrong ---------------------------------------------------------------------


@pytest.fixture
def own_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers find the faulty dataset's module."""
    monkeypatch.setenv("PYTHONPATH", str(TESTS))


def _run_faulty(ram_path: Path, fault: str, times: int = 99, **run: Any) -> list[Any]:
    """One trial on a real worker over a faulty dataset; the trials of its arm."""
    file = ram_path / "mine.py"
    counter = ram_path / "count"
    file.write_text(
        "'''Does it break?'''\n"
        "from faulty import Faulty\n"
        "from toys import toy_study\n"
        "from harness import Budget\n"
        f"study = toy_study(dataset=Faulty(counter={str(counter)!r}, fault={fault!r}, "
        f"times={times}), compare={{}}, budget=Budget(trials=1, epochs=1), "
        "replicates=0,\n"
        "    search={}, fixed={'units': 2, 'sequence_length': 5, 'vocabulary': 50})\n"
    )
    session.run(options(file, profile=False, **run))
    url = f"sqlite:///{ram_path}/runs/mine/study.db"
    return optuna.load_study(study_name="mine/all", storage=url).trials


@pytest.mark.slow
@pytest.mark.usefixtures("own_worker")
def test_worker_that_raises(ram_path: Path) -> None:
    (trial,) = _run_faulty(ram_path, "raises")
    assert trial.state.name == "FAIL"
    assert trial.user_attrs["reason"] == (
        "exception: RuntimeError: the disk of the reviews is gone"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("own_worker")
def test_worker_that_exits_0_silently(ram_path: Path) -> None:
    (trial,) = _run_faulty(ram_path, "exits")
    assert trial.user_attrs["reason"] == "killed: the worker ended with exit code 0"
    assert (ram_path / "count").read_text() == "3"  # tried twice more


@pytest.mark.slow
@pytest.mark.usefixtures("own_worker")
def test_worker_that_exits_once(ram_path: Path) -> None:
    (trial,) = _run_faulty(ram_path, "exits", times=1)
    assert trial.state.name == "COMPLETE"


@pytest.mark.slow
@pytest.mark.usefixtures("own_worker")
def test_worker_that_hangs(ram_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "NO_PROGRESS_S", 12.0)  # compiling takes 3 s and more
    (trial,) = _run_faulty(ram_path, "hangs", times=1)
    assert trial.state.name == "COMPLETE"


@pytest.mark.slow
@pytest.mark.usefixtures("own_worker")
def test_trial_beyond_its_time_limit(ram_path: Path) -> None:
    (trial,) = _run_faulty(ram_path, "hangs", trial_timeout=2.0)
    assert trial.user_attrs["reason"] == "timeout: more than 2 s"


@pytest.mark.slow
@pytest.mark.usefixtures("own_worker")
def test_worker_that_allocates_without_end(ram_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "machine_memory", lambda: 3 * 2**30)
    (trial,) = _run_faulty(ram_path, "allocates")
    assert trial.state.name == "FAIL"
    assert re.match(
        r"out of memory: the worker held \d\.\d GiB of 2\.7 GiB", trial.user_attrs["reason"]
    )


# --- the database and the disk ---------------------------------------------------------------


@pytest.fixture
def toy_session(monkeypatch: pytest.MonkeyPatch, ram_path: Path) -> Path:
    use_toy_pool(monkeypatch)
    file = ram_path / "mine.py"
    file.write_text("'''Does it run?'''\nfrom toys import toy_study\nstudy = toy_study()\n")
    return file


HOLD_DATABASE = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(10)
"""


@pytest.mark.slow
def test_database_locked_by_another_process_for_10_s(ram_path: Path, uncut: dict[str, Any]) -> None:
    directory = RunDirectory(ram_path)
    run_search(directory, toy_study(budget=Budget(trials=2, epochs=4)), ToyPool(2))
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_DATABASE, str(directory.database)], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    began = time.monotonic()
    assert outcomes(run_search(directory, toy_study(), ToyPool(2))) == uncut
    assert time.monotonic() - began > 5
    holder.wait()
    holder.stdout.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill(disk: Path, leave: int) -> Path:
    """Leave about that many bytes free."""
    filler = disk / "filler"
    state = os.statvfs(disk)
    filler.write_bytes(b"\0" * max(0, state.f_bavail * state.f_bsize - leave))
    return filler


@pytest.mark.parametrize("leave", [0, 16_384, 65_536])
def test_disk_full_while_telling(toy_session: Path, small_disk: Path, leave: int) -> None:
    runs_directory = small_disk / "runs"
    session.run(options(toy_session, runs=runs_directory, trials=2))
    before = _finished(runs_directory)
    filler = _fill(small_disk, leave)
    with pytest.raises(UserError, match="the disk is full; free some space"):
        session.run(options(toy_session, runs=runs_directory, trials=30))
    filler.unlink()
    during = _finished(runs_directory)
    assert {key: during[key] for key in before} == before
    session.run(options(toy_session, runs=runs_directory, trials=6))
    assert all(len(trials) >= 6 for trials in _by_arm(runs_directory).values())


@pytest.mark.slow
def test_disk_full_while_checkpointing(small_disk: Path) -> None:
    import numpy as np

    from harness.training.checkpoint import Checkpoints

    heard: list[str] = []
    checkpoints = Checkpoints(small_disk / "checkpoint", "x", heard.append)
    checkpoints.save([{"epoch": 1}], [np.zeros(1000)])
    filler = _fill(small_disk, 4096)
    checkpoints.save([{"epoch": 1}, {"epoch": 2}], [np.zeros(100_000)])
    assert "No space left on device; training continues" in heard[0]
    found = checkpoints.load()
    assert found is not None
    assert found.epoch == 1
    filler.unlink()


def test_disk_full_while_writing_the_report(toy_session: Path, small_disk: Path) -> None:
    runs_directory = small_disk / "runs"
    session.run(options(toy_session, runs=runs_directory, trials=2))
    page = (runs_directory / "mine" / "report.html").read_bytes()
    filler = _fill(small_disk, 8192)
    with pytest.raises(UserError, match="the disk is full"):
        session.run(options(toy_session, runs=runs_directory, trials=2))
    assert (runs_directory / "mine" / "report.html").read_bytes() == page
    filler.unlink()
    assert session.run(options(toy_session, runs=runs_directory, trials=2)) == 0


def test_read_only_directory(toy_session: Path, small_disk: Path) -> None:
    session.run(options(toy_session, runs=small_disk / "runs", trials=2))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(UserError, match="make it writable or choose another --runs"):
        session.run(options(toy_session, runs=small_disk / "runs", trials=3))
    assert all(len(trials) == 2 for trials in _by_arm(small_disk / "runs").values())


def test_stale_lock_file(toy_session: Path) -> None:
    session.run(options(toy_session, trials=2))
    lock = toy_session.parent / "runs" / "mine" / "lock"
    lock.write_text("process 1 on another-host\n")
    assert session.run(options(toy_session, trials=3)) == 0


def test_older_manifest_schema(toy_session: Path) -> None:
    session.run(options(toy_session, trials=2))
    manifest = toy_session.parent / "runs" / "mine" / "manifest.json"
    for schema in (0, 2):
        record = {**json.loads(manifest.read_text()), "schema": schema}
        manifest.write_text(files_module.to_json(record))
        with pytest.raises(UserError, match=f"schema {schema} and this version reads 1"):
            session.run(options(toy_session, trials=3))


def test_database_of_an_older_optuna(toy_session: Path) -> None:
    session.run(options(toy_session, trials=2))
    database = toy_session.parent / "runs" / "mine" / "study.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE version_info SET schema_version = 11")
        connection.execute("UPDATE alembic_version SET version_num = 'v2.6.0.a'")
    connection.close()
    with pytest.raises(UserError, match="another version of Optuna"):
        session.run(options(toy_session, trials=3))


def test_clock_set_back(toy_session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session.run(options(toy_session, trials=2))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 10 * 365 * 86400)
    monkeypatch.setattr(files_module, "now", lambda: "2001-01-01T00:00:00Z")
    assert session.run(options(toy_session)) == 0
    assert all(len(trials) == 6 for trials in _by_arm(toy_session.parent / "runs").values())


def _by_arm(runs_directory: Path) -> dict[str, list[int]]:
    arms: dict[str, list[int]] = {}
    for arm, number in _finished(runs_directory):
        arms.setdefault(arm, []).append(number)
    return arms


def _finished(runs_directory: Path) -> dict[tuple[str, int], tuple[object, ...]]:
    url = f"sqlite:///{runs_directory}/mine/study.db"
    return {
        (name, trial.number): (trial.state.name, trial.params, trial.value)
        for name in optuna.get_all_study_names(url)
        for trial in optuna.load_study(study_name=name, storage=url).trials
        if trial.state.is_finished()
    }


# --- the document ----------------------------------------------------------------------------


def test_every_row_of_the_document_has_its_test() -> None:
    rows = re.findall(r"^\|.*\| `([\w/]+)::(test_\w+)` \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert len(rows) > 25
    for module, name in rows:
        assert f"def {name}(" in (TESTS / f"{module}.py").read_text(), f"{module}::{name}"
