"""Profiles with made-up figures, and a pool that measures nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.profile import entries as entries_module
from harness.profile import profiler, scaling
from harness.profile.measurements import Configuration
from harness.spec.hyperparameters import Hyperparameters
from harness.workers.messages import Measure, Measurement

ENVIRONMENT = {"cpu": "A processor", "cores": 2, "steal": {"median": 0.0, "max": 0.01}}


def figures(step_ms: Sequence[float] = (10.0, 10.1, 9.9), **others: Any) -> dict[str, Any]:
    """The figures that one process would send."""
    return {
        "import_s": 5.0, "backend": "tensorflow", "device": "cpu", "path": "xla-scan", "xla": True,
        "cudnn": False, "build_s": 0.2, "compile_s": 3.0, "block_ms": list(step_ms),
        "block_steps": 8, "measured_longer": False, "evaluation_ms": [3.0, 3.0, 3.0],
        "epoch_s": 1.4, "epoch_steps": 128, "evaluation_steps": 32, "parameters": 1,
        "matmul_gflops": 100.0, "peak_rss_mb": 900.0, "peak_device_mb": None,
        "joules_per_step": None, "load_1m": 1.0, "steal": 0.0, **others,
    }  # fmt: skip


def configuration(**hyperparameters: Any) -> Configuration:
    return Configuration(hyperparameters=Hyperparameters(**hyperparameters))


def profile(arms: Sequence[str] = ()) -> dict[str, Any]:
    """Depths 1 to 4 with 10 units; the first is the best of `arms`, the last is unstable."""
    entries = []
    for depth in (1, 2, 3, 4):
        ms = [4.0 * depth, 4.4 * depth, 4.0 * depth * (2 if depth == 4 else 1)]
        entry = entries_module.entry(configuration(depth=depth, units=10), [figures(ms)])
        entries.append({**entry, "arms": list(arms) if depth == 1 else []})
    return {
        "schema": profiler.SCHEMA, "created": "2026-11-23T12:00:00Z", "processes": 5,
        "seconds": 2.0, "entries": entries,
        "scaling": [fit.to_mapping() for fit in scaling.fits(entries)],
        "failed": [], "environment": ENVIRONMENT,
    }  # fmt: skip


class Pool:
    """Answers like a worker process, with made-up figures; keeps the requests."""

    asked: list[Measure]
    stop_after: int | None = None

    def __init__(self, count: int, settings: Any, logs: Path) -> None:
        assert count == 1

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def send(self, worker: int, order: Measure) -> None:
        if self.stop_after is not None and len(type(self).asked) == self.stop_after:
            raise KeyboardInterrupt
        type(self).asked.append(order)

    def wait(self, timeout_s: float) -> list[tuple[int, Any]]:
        return [(0, Measurement(type(self).asked[-1].task, figures()))]


def nothing(text: str) -> None:
    pass
