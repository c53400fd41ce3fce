"""The time left and the page of a running study."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from report_testing import write_run
from session_testing import options, study_file, use_toy_pool

from harness.results.records import read_records
from harness.study import live, session
from reports import page

NOW = "2026-11-23T12:30:00Z"


def unfinished(root: Path) -> Path:
    """A study of which the last trial of each search is running."""

    def edit(result: dict[str, object]) -> dict[str, object]:
        return {**result, "state": "running"} if result["trial"] == 3 else result

    return write_run(root, compare={"depth": [1, 2]}, trials=4, wanted=6, edit=edit)


def test_the_clock_runs_between_two_readings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(live.time, "monotonic", lambda: now)
    clock = live.LiveClock(unfinished(tmp_path / "s"))
    first = clock()
    assert first is not None
    assert first > 10
    now += live.FRESH_S / 2  # too early to read again
    assert clock() == pytest.approx(first - live.FRESH_S / 2)
    (tmp_path / "s" / "manifest.json").unlink()
    now += 5.0
    assert clock() == pytest.approx(first)  # it can't be read: the last estimate stands
    assert live.LiveClock(tmp_path / "nothing")() is None


def test_a_running_studys_page_says_what_runs_and_loads_itself_again(tmp_path: Path) -> None:
    records = read_records(unfinished(tmp_path / "s"))
    running = page.render(records, now=NOW, live=True)
    assert f'<meta http-equiv="refresh" content="{page.REFRESH_S}">' in running
    assert "This study is running: about" in running
    assert "Now training: depth 1, trial 3 (epoch" in running
    stopped = page.render(records, now=NOW)
    assert 'http-equiv="refresh"' not in stopped
    assert "The rest of this study takes about" in stopped
    ended = page.render(read_records(write_run(tmp_path / "e", trials=4)), now=NOW)
    assert 'http-equiv="refresh"' not in ended
    assert "This study is running" not in ended
    assert "The rest of this study" not in ended


@pytest.mark.slow
def test_the_page_is_written_beside_the_study(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PAGE_AFTER_S", 0.0)
    root = unfinished(tmp_path / "s")
    with live.LivePage(root) as beside:
        deadline = time.monotonic() + 120
        while not (root / "summary.json").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert "This study is running" in (root / "report.html").read_text()
        assert json.loads((root / "summary.json").read_text())["time_left"]["seconds"] > 0
        # As when the study's process is killed: its page must not say for ever that it runs.
        assert beside._writer is not None
        beside._writer.communicate(timeout=200)
        assert "This study is running" not in (root / "report.html").read_text()


def test_a_short_study_has_no_live_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began: list[str] = []
    monkeypatch.setattr(live, "PAGE_AFTER_S", 0.0)
    monkeypatch.setattr(live.LivePage, "_start", lambda self: began.append(self._root.name))
    for name, short in (("quick", True), ("full", False)):
        with live.LivePage(tmp_path / name, short=short):
            time.sleep(0.2)
    assert began == ["full"]


def test_a_profile_is_made_when_no_page_is_written_any_more(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_toy_pool(monkeypatch)
    order: list[str] = []
    end = live.LivePage.end
    monkeypatch.setattr(live.LivePage, "end", lambda page: order.append("end") or end(page))
    monkeypatch.setattr(session, "_profile", lambda *_: order.append("profile"))
    assert session.run(options(study_file(ram_path, "mine"), profile=True)) == 0
    assert order[:2] == ["end", "profile"]


def test_the_end_of_a_page_is_the_end_of_its_process(tmp_path: Path) -> None:
    with live.LivePage(tmp_path) as page:
        sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
        page._writer = writer = subprocess.Popen(sleeps, stdin=subprocess.PIPE)
        page.end()
        assert writer.returncode == -signal.SIGKILL


def test_an_error_leaves_a_page_of_what_there_is(tmp_path: Path) -> None:
    root = unfinished(tmp_path / "s")
    with pytest.raises(ZeroDivisionError), live.LivePage(root):
        raise ZeroDivisionError
    assert 'http-equiv="refresh"' not in (root / "report.html").read_text()
