"""`python -m harness.profile`: wrong usage, and a real measurement."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--help"),
        (["--cell", "lstmm"], "cell: 'lstmm'"),
        (["--depth", "1,x"], "--depth 1,x"),
        (["--depth", "0"], "depth: 0"),
        (["--cell", "lstm", "--backend", "theano"], "backend: 'theano'"),
        (["--cell", "lstm", "--device", "tpu"], "device: 'tpu'"),
        (["--cell", "lstm", "--device", "gpu"], "no NVIDIA GPU"),
        (["--cell", "lstm", "--path", "cudnn"], "path: 'cudnn'"),
        (["--cell", "lstm", "--processes", "0"], "--processes 0"),
        (["no_such_study"], "no study named"),
        (["lstm_depth", "--units", "3"], "leave lstm_depth out"),
        (["--predict", "lstm_depth"], "no profile"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "harness.profile", *arguments],
        capture_output=True, text=True, cwd=tmp_path, timeout=200,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )  # fmt: skip
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert message in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_tiny_grid_for_real(tmp_path: Path) -> None:
    """One real worker process; a second call measures nothing and prints the same."""
    words = [sys.executable, "-m", "harness.profile", "--cell", "gru", "--depth", "1", "--units",
             "2", "--sequence-length", "5", "--batch-size", "4", "--quick", "--json",
             "--device", "cpu"]  # fmt: skip
    first = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=180)
    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    (entry,) = found["entries"]
    assert (entry["path"], entry["xla"], entry["cudnn"]) == ("xla-kernel", True, False)
    assert entry["step_ms"]["n"] >= 7
    assert 0 < entry["step_ms"]["p05"] <= entry["step_ms"]["median"] <= entry["step_ms"]["p95"]
    assert entry["compile_s"] > 0 < entry["build_s"]
    assert 100 < entry["peak_rss_mb"] < 10_000
    assert Path(tmp_path / found["page"]).is_file()
    again = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=200)
    assert json.loads(again.stdout)["entries"] == found["entries"]
    assert again.stderr == ""
