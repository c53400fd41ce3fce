"""`python -m harness.report`: writes pages from run directories alone."""

import copy
import json
import subprocess
import sys
from pathlib import Path

import profile_testing
import pytest
from report_testing import MakeRun, run_maker, write_run

from harness import report
from harness.core import files
from harness.results import records


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(...)` writes a run directory and returns its path; see `write_run`."""
    return run_maker(tmp_path)


def command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "harness.report", *arguments],
        cwd=cwd, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_names_and_directories(make_run: MakeRun, tmp_path: Path) -> None:
    make_run("one", trials=1)
    two = make_run("two", trials=1)
    done = command("one", str(two), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    comparison = str(Path("runs/one-vs-two.html"))
    assert done.stdout.splitlines() == [
        str(Path("runs/one/report.html")), f"{two}/report.html", comparison,
    ]  # fmt: skip
    assert "one against two" in (tmp_path / comparison).read_text(encoding="utf-8")
    assert (tmp_path / "runs" / "one" / "report.html").exists()


@pytest.mark.parametrize("name", ["lstm_dept", "no/such/directory", "."])
def test_an_unknown_study_is_one_line(make_run: MakeRun, tmp_path: Path, name: str) -> None:
    root = make_run("lstm_depth", trials=1)
    done = command("lstm_depth", name, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "lstm_depth" in done.stderr
    assert not (root / "report.html").exists()


def test_no_run_directory_at_all(tmp_path: Path) -> None:
    done = command("lstm_depth", cwd=tmp_path)
    assert done.returncode == 2
    assert "python -m harness.study" in done.stderr


def test_a_damaged_manifest_is_one_line(make_run: MakeRun, tmp_path: Path) -> None:
    root = make_run(trials=1)
    files.write_atomically(root / "manifest.json", "{")
    done = command(root.name, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "damaged" in done.stderr


def test_another_machines_profile_is_shown_beside_and_not_pooled(
    make_run: MakeRun, tmp_path: Path
) -> None:
    root = make_run(trials=1)
    own = profile_testing.profile(["depth=1"])
    other = copy.deepcopy(own)
    other["environment"] = {**own["environment"], "cpu": "Another <b>processor</b>"}
    for entry in other["entries"]:
        entry["step_ms"]["median"] *= 2
    (root / "profile.json").write_text(json.dumps(own))
    (tmp_path / "other.json").write_text(json.dumps(other))
    done = command("lstm_depth", "--profile", "other.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    page = (root / "report.html").read_text()
    assert "Another &lt;b&gt;processor&lt;/b&gt;" in page
    assert ">2.00×<" in page
    assert records.read_records(root).profile == own
    refused = command("lstm_depth", "--profile", "missing.json", cwd=tmp_path)
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    # Without the option the page is the study's own again.
    command("lstm_depth", cwd=tmp_path)
    assert "Another" not in (root / "report.html").read_text()


def test_no_list_beside_a_directory_copied_somewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = write_run(tmp_path / "copied" / "mine", trials=2)
    report.report([str(root)], tmp_path / "runs")
    assert capsys.readouterr().out.strip() == str(root / "report.html")
    assert not (tmp_path / "copied" / "index.html").exists()
    write_run(tmp_path / "runs" / "mine", trials=2)
    report.report(["mine"], tmp_path / "runs")
    assert (tmp_path / "runs" / "index.html").exists()
