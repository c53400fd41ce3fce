"""The benchmark of backends: who is timed on what, what its records say, and when it ends."""

import argparse
import importlib
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from benchmark_testing import BENCHMARKS


@pytest.fixture(scope="module")
def speed() -> Iterator[Any]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("training_speed")
    sys.path.remove(str(BENCHMARKS))


class Fake:
    """A contender whose epochs take a fixed time; its loss falls by a tenth each."""

    def __init__(self, path: str, epoch_s: float, dies_after: int = 100) -> None:
        self.start_s, self._path, self._epoch_s = 2.0, path, epoch_s
        self._dies_after, self.trained = dies_after, 0

    def begin(self, shape: Any) -> None:
        self._loss = 1.0

    def epoch(self) -> dict[str, Any] | None:
        self.trained += 1
        if self.trained > self._dies_after:
            return None
        self._loss *= 0.9
        return {"path": self._path, "wall_s": self._epoch_s, "cpu_s": self._epoch_s / 2,
                "loss": self._loss, "evaluation_ms": 1.0}  # fmt: skip

    def close(self) -> None:
        self._loss = 0.0


def compared(
    speed: Any, monkeypatch: pytest.MonkeyPatch, processes: dict[str, Fake], **asked: Any
) -> dict[str, Any]:
    monkeypatch.setattr(speed, "started_processes", lambda *_: processes)
    monkeypatch.setattr(speed, "matmul_gflops", lambda: 50.0)
    options = argparse.Namespace(**{"device": "cpu", "quick": False, "limit": 1e9, **asked})
    found: dict[str, Any] = speed.compare(speed.SHAPES, list(processes), options, {})
    return found


def test_each_shape_has_its_contenders_and_every_record_can_be_used(
    speed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = compared(speed, monkeypatch, {
        "tensorflow harness": Fake("xla-scan", 0.2), "tensorflow fit": Fake("keras", 2.0),
        "jax scan": Fake("xla-scan", 0.3), "jax kernel": Fake("xla-kernel", 0.1),
        "torch fit": Fake("keras", 9.0), "torch alone": Fake("", 0.5),
    })  # fmt: skip
    assert json.loads(speed.written(result)) == result
    by_shape = {
        name: {row["contender"]: row for row in rows}
        for name, rows in itertools.groupby(result["records"], key=lambda row: row["name"])
    }
    assert list(by_shape) == [shape.name for shape in speed.SHAPES]
    assert set(by_shape["GRU 2×16"]) == {"tensorflow harness", "jax scan", "jax kernel"}
    assert set(by_shape["GRU 2×128"]) == {"tensorflow harness", "jax scan"}
    assert "tensorflow fit" in by_shape["LSTM 2×32"]
    rows = by_shape["LSTM 2×5"]
    assert rows["jax scan"]["step_ms"] == pytest.approx(1.5)  # of processor time
    assert rows["jax scan"]["step_wall_ms"] == pytest.approx(3.0)
    assert rows["torch alone"]["path"] is rows["torch alone"]["from_tensorflow"] is None
    # Five rounds after the first epoch; of those that take nine seconds, one. The losses that
    # are compared are of the same epoch.
    assert (rows["jax scan"]["epochs"], rows["torch fit"]["epochs"]) == (6, 2)
    assert rows["torch fit"]["from_tensorflow"] == rows["tensorflow harness"]["from_stock"] == 0.0
    text = speed.table(result)
    assert "LSTM 2×5, 32 × 100: goal 10×" in text
    assert text.count("jax scan") == len(speed.SHAPES)

    derive_paths = importlib.import_module("derive_paths")
    of_jax = [r for r in result["records"] if r["backend"] == "jax" and r["path"]]
    rule = derive_paths.derive_jax(of_jax)
    assert rule["cpu"]["gru"] == ((16, "xla-kernel"), (None, "xla-scan"))


def test_one_that_dies_is_left_out_and_the_others_go_on(
    speed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = compared(speed, monkeypatch, {
        "tensorflow harness": Fake("xla-scan", 0.2), "jax scan": Fake("xla-scan", 0.3, 3),
    })  # fmt: skip
    rows = [row["contender"] for row in result["records"]]
    assert rows.count("tensorflow harness") == len(speed.SHAPES)
    assert rows.count("jax scan") == 1


def test_it_ends_in_time_and_names_what_it_left_out(
    speed: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = itertools.count(0.0, 20.0)  # each shape looks at it once
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(clock))
    fakes = {"tensorflow harness": Fake("xla-scan", 0.2)}
    result = compared(speed, monkeypatch, fakes, limit=110.0)
    measured = [row["name"] for row in result["records"]]
    left_out = [shape.name for shape in speed.SHAPES if shape.name not in measured]
    assert measured == [shape.name for shape in speed.SHAPES][:4]
    assert f"left out, no time: {', '.join(left_out)}" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.jax
def test_a_quick_look_trains_both_ways_on_jax_and_they_agree() -> None:
    pytest.importorskip("jax")
    done = subprocess.run(
        [sys.executable, str(BENCHMARKS / "training_speed.py"), "--quick", "--json",
         "--shape", "LSTM 2×32", "--python", "tensorflow=false", "--python", "torch=false"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "tensorflow fit is left out: it ended" in done.stderr
    rows = {row["contender"]: row for row in json.loads(done.stdout)["records"]}
    assert {name: row["path"] for name, row in rows.items()} == {
        "jax scan": "xla-scan", "jax fit": "keras",
    }  # fmt: skip
    assert rows["jax scan"]["from_stock"] < 1e-4
    assert all(row["compile_s"] > 0.1 and row["evaluation_ms"] > 0 for row in rows.values())
