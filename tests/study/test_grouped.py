"""A study whose trainings are side by side, by real workers: killed, paused, and compared."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from harness.results.records import Records, read_records

pytestmark = [pytest.mark.jax, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
PARITY = 1e-4  # relative, of losses; an example at the threshold counts as right or wrong
LIMIT_S = 300.0


def start(runs: Path, how: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.grouped_study", str(runs), how],
        cwd=ROOT, text=True, stderr=subprocess.PIPE,
    )  # fmt: skip


def finished(runs: Path, how: str) -> Records:
    process = start(runs, how)
    _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, said[-3000:]
    return read_records(runs / "grouped")


def wait_for(pattern: str, runs: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + LIMIT_S
    while not list(runs.glob(pattern)):
        assert process.poll() is None, "it ended before there was " + pattern
        assert time.monotonic() < deadline, "there was no " + pattern
        time.sleep(0.02)


def worker_of(process: "subprocess.Popen[str]") -> psutil.Process:
    (found,) = [
        each
        for each in psutil.Process(process.pid).children(recursive=True)
        if "harness.workers.worker" in each.cmdline()
    ]
    return found


LOSSES = ("loss", "val_loss")
ACCURACIES = ("accuracy", "val_accuracy")


def numbers(records: Records, names: Sequence[str] = LOSSES) -> dict[str, list[list[Any]]]:
    """Of all epochs, and test losses, of what is trained in groups."""
    replicates = records.replicates[records.replicates["arm"] == "depth=1"]
    epochs = records.replicate_epochs[records.replicate_epochs["arm"] == "depth=1"]
    curves = ["epoch", *names]
    return {
        "trials": records.epochs[["trial", *curves]].to_numpy().tolist(),
        "replicates": epochs[["replicate", *curves]].to_numpy().tolist(),
        "scores": replicates[["replicate", "scored_loss"]].to_numpy().tolist(),
    }


def test_groups_are_killed_and_paused_and_go_on(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    whole = finished(tmp_path / "whole", "beside")
    assert whole.trials["step_ms"].isna().all()  # all of them were in a group
    alone = finished(tmp_path / "alone", "alone")
    assert alone.trials["step_ms"].notna().all()
    # Replicates may be those of another trial: no rate is much better than the others.
    np.testing.assert_allclose(numbers(whole)["trials"], numbers(alone)["trials"], rtol=PARITY)

    cut = tmp_path / "cut"
    process = start(cut, "beside")
    # Trial 3 was not asked for yet: it has a checkpoint because it is trained along.
    wait_for("grouped/trials/depth=1/0003/checkpoint/*", cut, process)
    assert not list(cut.glob("grouped/trials/depth=1/0000/result.json"))
    worker_of(process).kill()
    wait_for("grouped/replicates/depth=1/seed=3/checkpoint/*", cut, process)
    assert not list(cut.glob("grouped/replicates/depth=1/seed=1/result.json"))
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in said
    resumed = finished(cut, "beside")
    for names in (LOSSES, ACCURACIES):
        assert numbers(resumed, names) == numbers(whole, names)
