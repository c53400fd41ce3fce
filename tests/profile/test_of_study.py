"""What is profiled of a study, and where it is written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from profile_testing import Pool, nothing
from report_testing import write_run

from harness.core.errors import UserError
from harness.profile import of_study
from harness.profile.measurements import QUICK_WARM, WARM, Effort
from harness.profile.profiler import Warm
from harness.results.records import read_records


def test_a_study_gives_its_best_and_a_grid(tmp_path: Path) -> None:
    records = read_records(write_run(tmp_path / "lstm_depth"))
    found = of_study.configurations_of(records, devices=["cpu"])
    assert [each.arms for each in found[:4]] == [(f"depth={depth}",) for depth in (1, 2, 3, 4)]
    assert [each.hyperparameters.depth for each in found] == [1, 2, 3, 4] * 2
    assert len({each.hyperparameters.units for each in found[4:]}) == 1
    assert len(of_study.configurations_of(records, grid=False, devices=["cpu"])) == 4
    empty = read_records(write_run(tmp_path / "empty", trials=0))
    with pytest.raises(UserError, match="no trial has completed"):
        of_study.configurations_of(empty)


def test_a_study_is_profiled_into_its_run_directory(pool: type[Pool], tmp_path: Path) -> None:
    root = write_run(tmp_path / "lstm_depth")
    (root / "profile.json").unlink()
    file = of_study.profile_run_directory(root, quick=True, notify=nothing)
    assert file == root / "profile.json"
    assert len(json.loads(file.read_text())["entries"]) == 4
    lines = (root / "tables" / "profile.csv").read_text().splitlines()
    assert len(lines) == 5
    assert "step_ms_median" in lines[0]


def test_a_short_study_is_measured_for_less_than_a_long_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A fifth of its time does not hold the longer effort for each arm."""
    root = write_run(tmp_path / "lstm_depth")
    efforts = []

    def note(records: object, effort: Effort, *args: object, warm: Warm, **kwargs: object) -> Path:
        efforts.append(effort)
        return root

    monkeypatch.setattr(of_study, "profile_study", note)
    monkeypatch.setattr("harness.profile.profiler.devices_here", lambda: ["cpu"])
    spent_s = float(read_records(root).trials["train_s"].sum())
    spent_s += float(read_records(root).replicates["train_s"].sum())
    for workers in (1, 1_000_000):
        monkeypatch.setattr(of_study, "WARM_S", spent_s * of_study.SHARE / 4)
        of_study.profile_run_directory(root, quick=False, notify=nothing, pool=[None] * workers)  # type: ignore[arg-type]
    assert efforts == [
        replace(WARM, limit_s=max(of_study.LEAST_S, spent_s * of_study.SHARE)),
        replace(QUICK_WARM, limit_s=of_study.LEAST_S),
    ]
