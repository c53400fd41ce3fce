"""The rule for training side by side agrees with the committed measurements."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from benchmark_testing import BENCHMARKS, loaded

from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training import grouping


@pytest.fixture(scope="module")
def speed() -> ModuleType:
    return loaded("side_by_side_speed")


def test_the_rule_is_what_the_measurements_say(speed: ModuleType) -> None:
    file = speed.RECORDS
    records = json.loads(file.read_text())["records"] if file.exists() else []
    assert speed.derive(records) == grouping.SIDE_BY_SIDE


def test_what_is_faster_by_far_from_some_members_on_is_grouped(
    speed: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def records(device: str, units: int, together_ms: dict[int, float]) -> list[dict[str, Any]]:
        """Alone a step takes 1 ms, and compiling takes 1 s."""
        return [
            {"device": device, "cores": 1, "inputs": "words", "cell": "gru", "units": units,
             "members": members, "alone_ms": 1.0, "together_ms": ms, "compile_s": 1.0}
            for members, ms in together_ms.items()
        ]  # fmt: skip

    rule = speed.derive(
        [
            *records("cpu", 4, {1: 0.1, 2: 0.5, 4: 0.3, 8: 0.3}),  # with 2, compiling costs it all
            *records("cpu", 8, {1: 2.0, 2: 1.2, 4: 0.7, 8: 0.3}),
            *records("cpu", 16, {2: 0.3, 4: 0.3, 8: 0.9}),
            *records("cpu", 32, {2: 0.3, 4: 0.3, 8: 0.3}),  # larger than one that does not gain
            *records("gpu", 64, {2: 0.3, 8: 0.1}),
            *({**r, "cores": 2} for r in records("cpu", 64, {2: 0.1, 8: 0.1})),
        ]
    )
    assert rule == {
        "cpu": {"words": {"gru": ((4, 4), (8, 8))}},
        "gpu": {"words": {"gru": ((64, 2),)}},
    }
    monkeypatch.setattr(grouping, "SIDE_BY_SIDE", rule)

    def grouped(units: int, members: int, cell: str = "gru", device: str = "cpu") -> bool:
        hp = Hyperparameters(cell=cell, depth=1, units=units)
        return grouping.faster_side_by_side(hp, Signature(), members, device=device)

    assert grouped(3, 4)
    assert grouped(5, 8)
    assert grouped(60, 2, device="gpu")
    assert not grouped(3, 3)
    assert not grouped(5, 4)
    assert not grouped(9, 8)
    assert not grouped(3, 4, cell="lstm")
    hp = Hyperparameters(cell="gru", depth=1, units=3)
    assert not grouping.faster_side_by_side(hp, Signature(features=1), 8, device="cpu")


@pytest.mark.jax
@pytest.mark.slow
def test_the_benchmark_writes_records_and_a_table(speed: ModuleType, tmp_path: Path) -> None:
    pytest.importorskip("jax")
    file = tmp_path / "records.json"
    of_gpu = {
        "device": "gpu", "cores": 16, "inputs": "words", "cell": "gru", "units": 4, "members": 1,
        "batch_size": 32, "sequence_length": 100, "alone_ms": 1.0, "together_ms": 1.0,
        "loss_parity": 0.0, "compile_s": 1.0,
    }  # fmt: skip
    file.write_text(json.dumps({"records": [of_gpu]}))
    command = ["--quick", "--shape", "numbers, rnn 4", "--records", str(file)]
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "side_by_side_speed.py"), *command],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    gpu, *records = json.loads(file.read_text())["records"]
    assert gpu == of_gpu, done.stderr
    assert [(r["cores"], r["members"]) for r in records] == [(1, 3)]
    assert all(r["loss_parity"] < 1e-4 for r in records)
    assert all(r["together_ms"] > 0 for r in records)
    assert "cpu, cores 1: numbers, rnn 4, 32 × 50\n" in done.stdout
    assert "SIDE_BY_SIDE = " in done.stdout
