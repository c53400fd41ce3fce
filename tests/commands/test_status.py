"""Status of a study: from files alone, while it runs and after."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from report_testing import write_run
from toys import Noise, ToyPool, losses, run_search, toy_study

from harness.commands.status import describe
from harness.core.files import to_json
from harness.results.lock import SILENT_S, hold
from harness.results.run_directory import RunDirectory


@pytest.fixture
def directory(ram_path: Path) -> RunDirectory:
    directory = RunDirectory(ram_path / "toy")
    directory.root.mkdir()
    study = toy_study(dataset=Noise(), replicates=0)
    manifest = {
        "schema": 1, "study": "toy", "spec": study.to_mapping(), "storage": "x",
        "arms": [{"name": arm.name, "values": dict(arm.values)} for arm in study.arms()],
        "environment": {},
    }  # fmt: skip
    directory.manifest.write_text(to_json(manifest))
    return directory


def test_it_shows_what_runs_while_the_lock_is_held(directory: RunDirectory) -> None:
    seen = []

    def watching(request):  # type: ignore[no-untyped-def]
        if request.task == "depth=2/1":
            before = {p: p.stat().st_mtime_ns for p in directory.root.rglob("*")}
            seen.append(describe(directory.root))
            assert {p: p.stat().st_mtime_ns for p in directory.root.rglob("*")} == before
        return losses(request)

    with hold(directory.lock):
        run_search(directory, toy_study(), ToyPool(2, curve=watching))
    (status,) = seen
    assert status["state"] == "running"
    assert status["by"] == f"process {os.getpid()} on {socket.gethostname()}"
    assert [arm["done"] for arm in status["arms"]] == [1, 1] or status["arms"][1]["done"] == 1
    assert status["arms"][1]["running"][0]["trial"] == 1
    after = describe(directory.root)
    assert after["state"] == "finished"
    assert after["by"] is None
    assert [arm["done"] for arm in after["arms"]] == [6, 6]


def test_it_counts_the_trials_of_all_searches(directory: RunDirectory) -> None:
    study = toy_study(replicates=0, searches=2)
    manifest = json.loads(directory.manifest.read_text())
    directory.manifest.write_text(to_json({**manifest, "spec": study.to_mapping()}))
    seen = []

    def watching(request):  # type: ignore[no-untyped-def]
        if request.task == "depth=1, search 2/1":
            seen.append(describe(directory.root))
        return losses(request)

    run_search(directory, study, ToyPool(1, curve=watching))
    (status,) = seen
    assert (status["searches"], status["trials"]) == (2, 12)
    (running,) = status["arms"][0]["running"]
    assert (running["search"], running["trial"], running["epochs"]) == (2, 1, 0)
    assert [arm["done"] for arm in describe(directory.root)["arms"]] == [12, 12]


def test_a_study_cut_short_is_stopped(directory: RunDirectory) -> None:
    directory.lock.write_text(f"process 999999999 on {socket.gethostname()}\n")
    assert describe(directory.root)["state"] == "stopped"


def test_the_verb_prints_lines_or_json(directory: RunDirectory) -> None:
    run_search(directory, toy_study(), ToyPool())
    verb = [sys.executable, "-c", "from harness.commands.main import main; main()", "status"]
    text = subprocess.run([*verb, str(directory.root)], capture_output=True, text=True, check=True)
    assert text.stdout.splitlines()[0] == "toy: finished"
    assert "depth=1: 6 of 6 trials" in text.stdout
    out = subprocess.run(
        [*verb, "toy", "--runs", str(directory.root.parent), "--json"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert json.loads(out)["state"] == "finished"
    wrong = subprocess.run([*verb, "nothing"], capture_output=True, text=True, cwd="/")
    assert wrong.returncode == 2
    assert wrong.stderr.count("\n") == 1


def test_its_page_opens_in_the_browser(
    directory: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_search(directory, toy_study(), ToyPool())
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    listed(directory.root, "toy", "--open")
    assert (tmp_path / "opened").read_text().strip() == directory.report.absolute().as_uri()
    assert "This study is running" not in directory.report.read_text()
    directory.report.unlink()
    directory.lock.write_text(f"process {os.getpid()} on {socket.gethostname()}\n")
    listed(directory.root, "toy", "--open")
    assert 'http-equiv="refresh"' in directory.report.read_text()
    # Killed, together with the process that writes its page.
    directory.lock.write_text("")
    listed(directory.root, "toy", "--open")
    assert 'http-equiv="refresh"' not in directory.report.read_text()


def test_a_process_of_another_host_runs_as_long_as_it_touches_the_lock(
    directory: RunDirectory,
) -> None:
    directory.lock.write_text("process 17 on another-host\n")
    assert describe(directory.root)["state"] == "running"
    silent = time.time() - SILENT_S - 1
    os.utime(directory.lock, (silent, silent))
    assert describe(directory.root)["state"] == "stopped"


def test_a_lock_with_an_impossible_process(directory: RunDirectory) -> None:
    directory.lock.write_text(f"process {'9' * 40} on {socket.gethostname()}\n")
    assert describe(directory.root)["state"] == "stopped"


def listed(root: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "harness", "status", "--runs", str(root.parent), *arguments],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_without_a_name_all_studies_are_listed(directory: RunDirectory) -> None:
    run_search(directory, toy_study(), ToyPool(2))
    broken = RunDirectory(directory.root.with_name("broken"))
    broken.root.mkdir()
    broken.manifest.write_text("{}")
    lines = listed(directory.root).splitlines()
    assert [line.split()[0] for line in lines] == ["broken", "toy"]
    assert "damaged" in lines[0]
    assert lines[1].split()[1:] == ["finished", "12", "of", "12", "trials"]
    found = json.loads(listed(directory.root, "--json"))
    assert [each["state"] for each in found] == ["damaged", "finished"]
    (directory.root.parent / "none").mkdir()
    assert listed(directory.root.parent / "none" / "x").startswith("no study in ")


def test_results_so_far_are_shown(tmp_path: Path) -> None:
    write_run(tmp_path / "s", replicates=2)
    text = listed(tmp_path / "s", "s", "--watch")  # it has ended, so there is nothing to watch
    assert "Test accuracy over 2 seeds" in text
    assert re.search(r"^depth=1 +\d\d\.\d % \[", text, re.MULTILINE)


def test_only_one_study_is_watched(tmp_path: Path) -> None:
    for arguments in (["--watch"], ["s", "--watch", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "harness", "status", *arguments],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "--watch goes with" in done.stderr
