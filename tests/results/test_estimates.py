"""An estimate is compared with what the study took, unless it was interrupted."""

import json
from pathlib import Path

import pytest
from report_testing import write_run

from harness.results import estimates
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory


def timed(root: Path) -> RunDirectory:
    """A finished study that took 100 seconds and was estimated to take 150."""
    directory = RunDirectory(write_run(root, trials=1))
    for file in root.glob("trials/*/*/result.json"):
        times = {"started": "2026-11-23T12:00:00Z", "finished": "2026-11-23T12:01:40Z"}
        file.write_text(json.dumps({**json.loads(file.read_text()), **times}))
    estimates.write(directory, search_s=100.0, replicates_s=50.0, workers=1, profile="p.json")
    return directory


def test_the_error_is_relative_to_what_it_took(tmp_path: Path) -> None:
    found = estimates.compare(read_records(timed(tmp_path / "s").root))
    assert found is not None
    assert (found["estimated_s"], found["elapsed_s"], found["profile"]) == (150.0, 100.0, "p.json")
    assert found["error"] == pytest.approx(0.5)


def test_an_interrupted_study_has_no_error(tmp_path: Path) -> None:
    directory = timed(tmp_path / "s")
    estimates.interrupted(directory)
    assert estimates.compare(read_records(directory.root)) is None


def test_a_study_without_an_estimate_is_left_alone(tmp_path: Path) -> None:
    directory = RunDirectory(write_run(tmp_path / "s", trials=1))
    estimates.interrupted(directory)
    assert estimates.compare(read_records(directory.root)) is None
    assert "estimate" not in directory.read_manifest()


def test_the_estimate_of_an_older_version_is_read(tmp_path: Path) -> None:
    directory = timed(tmp_path / "s")
    manifest = dict(directory.read_manifest())
    (directory.root / estimates.OLD_FILE).write_text(json.dumps(manifest.pop("estimate")))
    del manifest["sha256"]
    directory.manifest.write_text(json.dumps(manifest))
    found = estimates.compare(read_records(directory.root))
    assert found is not None
    assert found["estimated_s"] == 150.0
