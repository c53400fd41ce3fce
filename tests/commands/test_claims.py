"""`harness claims`: studies run one after another within a time, and the page that follows."""

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import claims_sample
import psutil
import pytest
from report_testing import write_run

from harness.analysis.claims import CLAIMS
from harness.commands import claims
from harness.core.errors import UserError
from harness.core.signals import Stopped
from harness.spec import study_files

SLEEPS = "import time; print('begun', flush=True); time.sleep(60)"


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up runs have other settings than the studies whose names they have."""
    monkeypatch.setattr(claims, "_other_settings", lambda name, records: "")
    monkeypatch.setattr(claims, "_is_whole", lambda name, manifest: True)


def test_every_study_of_a_claim_exists() -> None:
    known = study_files.questions()
    assert {name for claim in CLAIMS for name in claim.shown} <= set(known)


def test_a_page_without_any_study_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims.claims(limit="0", runs_directory=tmp_path / "runs")
    out, err = capsys.readouterr()
    page = (tmp_path / "runs" / "claims.html").read_text()
    assert out.strip() == str(tmp_path / "runs" / "claims.html")
    assert err.count("undecided at this budget") == len(CLAIMS)
    assert "Not run yet: lstm_depth" in page
    assert "not begun" in page


@pytest.mark.usefixtures("made_up")
def test_the_page_has_verdicts_effects_and_unfinished_studies(tmp_path: Path) -> None:
    write_run(tmp_path / "lstm_depth", replicates=3, searches=3)
    write_run(tmp_path / "hierarchy", trials=2)
    claims.claims(limit="0", runs_directory=tmp_path, output=tmp_path / "sub" / "page.html")
    page = (tmp_path / "sub" / "page.html").read_text()
    assert "Depth 2 less depth 1: 1 context of 1 study, too few" in page
    assert 'id="forest-2"' in page
    assert "python -m harness.study lstm_depth" in page
    assert "Not finished: " in page


@pytest.mark.usefixtures("made_up")
def test_finished_studies_are_not_run_and_others_stop_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "done", manifest={"finished": True})
    monkeypatch.setattr(claims, "_command", lambda name, runs: [sys.executable, "-c", SLEEPS])
    began = time.monotonic()
    notes = claims._run(["done", "one", "two"], tmp_path, began + 3)
    assert notes == {}
    assert 2.5 < time.monotonic() - began < 30


def declared(name: str, **budget: int) -> dict[str, Any]:
    """The spec of a study, with some values of its budget changed."""
    spec = study_files.load(name).study.to_mapping()
    return {**spec, "budget": {**spec["budget"], **budget}}


def test_a_run_with_other_settings_is_named_and_does_not_count(tmp_path: Path) -> None:
    spec = declared("lstm_depth", epochs=2)
    write_run(tmp_path / "lstm_depth", replicates=3, searches=3, manifest={"spec": spec})
    claims.claims(limit="0", runs_directory=tmp_path)
    page = (tmp_path / "claims.html").read_text()
    assert "run with other settings (budget.epochs: 2 → 5)" in page
    assert "Not run yet: lstm_depth" in page
    assert "Depth 2 less depth 1" not in page


@pytest.mark.parametrize(("trials", "runs"), [(3, True), (12, False), (20, False)])
def test_a_study_of_fewer_trials_goes_on(
    trials: int, runs: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {**declared("lstm_depth", trials=trials), "searches": 3, "replicates": 2}
    write_run(
        tmp_path / "lstm_depth", trials=trials, replicates=2, searches=3,
        manifest={"spec": spec, "finished": True},
    )  # fmt: skip
    records, fault = claims._records(tmp_path / "lstm_depth")
    assert records is not None
    assert records.finished
    assert not fault
    monkeypatch.setattr(claims, "_command", lambda name, runs: [sys.executable, "-c", "exit(75)"])
    assert bool(claims._run(["lstm_depth"], tmp_path, None)) == runs
    assert ("fewer trials" in claims._other_settings("lstm_depth", records)) == runs


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for output in (tmp_path / "pipe", tmp_path):
        with pytest.raises(UserError, match="--output") as refused:
            claims.claims(limit="0", runs_directory=tmp_path / "runs", output=output)
        assert str(output) in str(refused.value)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_study_that_is_refused_leaves_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = "import sys; sys.exit('error: no espeak-ng here')"
    monkeypatch.setattr(claims, "_command", lambda name, runs: [sys.executable, "-c", refused])
    notes = claims._run(["one", "two"], tmp_path, None)
    assert notes == dict.fromkeys(("one", "two"), "error: no espeak-ng here")


def test_a_signal_stops_the_study_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pids = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[call-overload]
            pids.append(self)
            signal.setitimer(signal.ITIMER_REAL, 1.0)

    monkeypatch.setattr(claims.subprocess, "Popen", Noted)
    monkeypatch.setattr(claims, "_command", lambda name, runs: [sys.executable, "-c", SLEEPS])
    handlers = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)}
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with pytest.raises(Stopped):
            claims._run(["one", "two"], tmp_path, None)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert [each.returncode for each in pids] == [-signal.SIGINT]


@pytest.mark.parametrize("limit", ["soon", "-4h", "h", "4"])
def test_a_time_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(UserError, match="--time"):
        claims._deadline(limit)


@pytest.mark.usefixtures("made_up")
def test_a_damaged_study_is_named_and_the_others_count(tmp_path: Path) -> None:
    write_run(tmp_path / "lstm_depth", replicates=3, searches=3)
    (write_run(tmp_path / "hierarchy") / "manifest.json").write_text("{")
    claims.claims(limit="0", runs_directory=tmp_path)
    page = (tmp_path / "claims.html").read_text()
    assert "hierarchy/manifest.json is damaged" in page
    assert "Depth 2 less depth 1: 1 context of 1 study" in page


def test_a_damaged_study_is_given_to_its_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (write_run(tmp_path / "one") / "manifest.json").write_text("{")
    monkeypatch.setattr(claims, "_command", lambda name, runs: [sys.executable, "-c", "exit(75)"])
    assert claims._run(["one"], tmp_path, None) == {"one": "in use by another process"}


def test_a_study_that_was_killed_at_its_profile_is_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path / "one", manifest={"finished": False})
    monkeypatch.setattr(claims, "_command", lambda name, runs: [sys.executable, "-c", "exit(75)"])
    assert set(claims._run(["one"], tmp_path, None)) == {"one"}


@pytest.mark.parametrize("signals", [("SIGINT", "SIGINT"), ("SIGHUP",)])
def test_no_study_outlives_the_command(tmp_path: Path, signals: tuple[str, ...]) -> None:
    """Two Ctrl-C in a row, and a terminal that closes."""
    study = [sys.executable, "-c", f"import os; open('pid', 'w').write(str(os.getpid())); {SLEEPS}"]
    program = f"""
from pathlib import Path
from harness.commands import claims
claims._command = lambda name, runs: {study!r}
claims.POLL_S = 5.0
claims._run(["one"], Path("runs"), None)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.DEVNULL
    ) as command:
        pid = tmp_path / "pid"
        wait_for(lambda: pid.is_file() and bool(pid.read_text()))
        for name in signals:
            command.send_signal(signal.Signals[name])
            time.sleep(0.1)
    wait_for(lambda: not psutil.pid_exists(int(pid.read_text())))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_sample_says_what_its_records_say(tmp_path: Path) -> None:
    """If this fails after an intended change: `python -m tests.claims_sample`."""
    found = claims_sample.words(claims_sample.render(tmp_path))
    assert found == claims_sample.words(claims_sample.PAGE.read_text(encoding="utf-8"))
