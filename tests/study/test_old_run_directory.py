"""A run directory of the version before the packages still opens, reports and resumes."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.integrations.logged import runs_of
from harness.results.records import read_records
from harness.study import moved
from reports import write

OLD = Path(__file__).parents[1] / "data" / "before_packages"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(OLD / "before_packages.py", tmp_path)
    shutil.copytree(OLD / "run", tmp_path / "runs" / "before_packages")
    return tmp_path


@pytest.mark.usefixtures("no_charts")
def test_it_opens_and_reports_what_it_reported(folder: Path) -> None:
    root = folder / "runs" / "before_packages"
    before = json.loads((root / "summary.json").read_text())
    (root / "summary.json").unlink()
    assert read_records(root).finished
    write.write(root)
    after = json.loads((root / "summary.json").read_text())
    # A study of one search: what it found stays, but it says nothing about arms any more.
    for arm in after["arms"]:
        assert [each["search"] for each in arm.pop("searches")] == [1]
        assert arm["probability_best"] is None
    for arm, earlier in zip(after["arms"], before["arms"], strict=True):
        assert _known(arm, earlier) == earlier
    for each, earlier in zip(after["baselines"], before["baselines"], strict=True):
        assert _known(each, earlier) == earlier
    assert after["recommended"]["params"] == before["recommended"]["params"]
    assert [(v["verdict"], v["reason"]) for v in after["verdicts"]] == [
        ("inconclusive", "one search")
    ]


def _known(after: Any, before: Any) -> Any:
    """What `before` has of `after`: later versions add keys."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {key: _known(after[key], before[key]) for key in before}
    return after


@pytest.mark.usefixtures("no_charts")
def test_it_can_be_renamed_and_logged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    before = read_records(folder / "runs" / "before_packages").trials
    root = moved.rename(folder / "runs" / "before_packages", "renamed")
    found = harness.run("before_packages.py", name="renamed", quiet=True, profile=False)
    assert found.path.absolute() == root
    assert found.trials.equals(before)
    logged = [run.kind for run in runs_of(read_records(root))]
    assert logged.count("trial") == len(found.trials)
    assert logged.count("replicate") == len(found.replicates)


@pytest.mark.slow
def test_it_resumes_with_more_trials(folder: Path) -> None:
    root = folder / "runs" / "before_packages"
    before = read_records(root).trials
    done = subprocess.run(
        [sys.executable, "-m", "harness.study", "before_packages.py", "--trials", "3",
         "--no-profile", "-q"],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    after = read_records(root).trials
    assert sorted(after["trial"]) == [0, 0, 1, 1, 2, 2]
    kept = after[after["trial"] < 2].reset_index(drop=True)
    for column in ("arm", "trial", "state", "value", "params_learning_rate"):
        assert list(kept[column]) == list(before[column])
