"""The session for a machine with a GPU, as far as it goes without one."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from benchmark_testing import BENCHMARKS, loaded

from harness.results.profile_file import read_profile


@pytest.fixture(scope="module")
def session() -> ModuleType:
    return loaded("gpu_session")


def test_a_network_on_another_path_is_a_fault(session: ModuleType) -> None:
    lstm = {"cell": "lstm", "depth": 2, "units": 32}
    stock = {**lstm, "backend": "tensorflow", "device": "gpu", "path": "keras", "cudnn": True}
    scan = {**lstm, "backend": "jax", "device": "gpu", "path": "xla-scan", "cudnn": False}
    assert session.faults([stock, scan, {**stock, "cell": "rnn", "cudnn": False}]) == []
    assert session.faults([{**scan, "path": "keras"}]) == [
        "lstm on jax, gpu: path keras, and xla-scan belongs to it"
    ]
    assert session.faults([{**stock, "cudnn": False}]) == ["lstm on tensorflow, gpu: cuDNN False"]


def test_replicates_on_another_path_are_a_fault(session: ModuleType) -> None:
    paths = {"precision=float32": ["xla-scan"], "precision=mixed_bfloat16": ["keras", "xla-scan"]}
    assert session.precision_faults(paths, "jax", "gpu") == [
        "precision=mixed_bfloat16 on jax: path keras, xla-scan, and xla-scan belongs to it"
    ]
    assert (
        session.precision_faults({"precision=mixed_bfloat16": ["keras"]}, "tensorflow", "gpu") == []
    )


def test_a_part_that_takes_too_long_is_stopped_and_what_it_said_is_kept(
    session: ModuleType,
) -> None:
    code = "import time; print('begun', flush=True); time.sleep(60)"
    part = session.run([sys.executable, "-c", code], 3.0)
    assert part["code"] is None
    assert part["seconds"] < 30
    assert part["tail"].splitlines() == ["begun", "", "stopped after 3 s"]
    assert session.run([sys.executable, "-c", "raise SystemExit(3)"], 30.0)["code"] == 3


def test_all_parts_end_within_nine_minutes(session: ModuleType) -> None:
    assert session.SESSION_S < 540
    assert max(session.LIMITS_S.values()) < session.SESSION_S
    assert "timeout 540 " in (BENCHMARKS / "gpu_session.sh").read_text()


def test_a_part_that_no_time_is_left_for_is_named(
    session: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = tmp_path / "records.json"
    monkeypatch.setattr(session, "SESSION_S", 0.0)
    arguments = ["gpu_session", "--parts", "repeats", "--backends", "jax"]
    monkeypatch.setattr(sys, "argv", [*arguments, "--records", str(records)])
    assert session.main() == 1
    found = json.loads(records.read_text())
    assert found["faults"] == ["repeats jax: no time was left; run it with --parts"]
    assert found["parts"] == {}


def test_a_cpu_may_take_longer(session: ModuleType, tmp_path: Path) -> None:
    asked = argparse.Namespace(
        device="cpu", parts=["precision"], backends=["jax"], cells=["lstm"], quick=True,
        patience=None,
    )  # fmt: skip
    ((_, limit_s, _),) = session.plan(asked, tmp_path)
    assert limit_s == session.PATIENCE * session.LIMITS_S["precision"]
    asked.patience = 2.0
    ((_, limit_s, _),) = session.plan(asked, tmp_path)
    assert limit_s == 2.0 * session.LIMITS_S["precision"]


@pytest.mark.slow
def test_the_profile_part_runs_on_a_cpu(tmp_path: Path) -> None:
    records = tmp_path / "records.json"
    options = ["--device", "cpu", "--parts", "profile", "--backends", "tensorflow"]
    done = subprocess.run(
        [BENCHMARKS / "gpu_session.sh", *options, "--cells", "rnn", "--records", str(records)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(records.read_text())
    (entry,) = found["entries"]
    assert read_profile(records) == found  # a report shows it beside its own machine's
    assert (entry["path"], entry["device"]) == ("xla-scan", "cpu")
    assert found["faults"] == []
    assert found["environment"]["cpu"]


@pytest.mark.slow
@pytest.mark.jax
def test_the_precision_part_runs_on_a_cpu(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    records = tmp_path / "records.json"
    options = ["--device", "cpu", "--parts", "precision", "--backends", "jax", "--quick"]
    done = subprocess.run(
        [BENCHMARKS / "gpu_session.sh", *options, "--records", str(records)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(records.read_text())["parts"]["precision jax"]
    arms = ["precision=float32", "precision=mixed_bfloat16"]
    assert [arm["arm"] for arm in found["arms"]] == arms
    assert found["paths"] == {arm: ["xla-scan"] for arm in arms}
    assert all(ms > 0 for arm in arms for ms in found["step_ms"][arm])
