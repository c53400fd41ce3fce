"""A training given to a worker, and what is known about it so far. No Keras."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core import files
from harness.results.training_folder import append_epoch
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Arm


@dataclass
class Assignment:
    """A running training: trial `number` of an arm, or its replicate on seed `number`."""

    arm: Arm
    number: int
    params: dict[str, Any]
    hyperparameters: Hyperparameters
    seed: int
    started: str = field(default_factory=files.now)
    attempts: int = 1  # since its last new epoch
    reached: int = 0  # the last epoch of any attempt
    parameters: int | None = None
    path: str | None = None
    worker: str | None = None  # the last one that trained it, by its name in the pool
    epochs: list[dict[str, float]] = field(default_factory=list)
    search: int = 1  # of the arm's independent searches
    folder: Path | None = None  # of the training's files; None where its epochs are not kept

    def begin(self) -> None:
        """Forget the epochs of an earlier attempt: a worker sends every epoch, old or new."""
        self.epochs.clear()
        if self.folder is not None:
            (self.folder / "metrics.jsonl").unlink(missing_ok=True)

    def add_epoch(self, metrics: Mapping[str, float]) -> None:
        """Keep an epoch's metrics, in memory and in the folder."""
        self.epochs.append(dict(metrics))
        if self.folder is not None:
            append_epoch(self.folder, metrics)

    @property
    def task(self) -> str:
        return f"{self.group}/{self.number}"

    @property
    def group(self) -> str:
        return group_name(self.arm, self.search)

    @property
    def best_epoch(self) -> dict[str, float] | None:
        """The epoch with the lowest validation loss, the first one where several are equal."""
        return min(self.epochs, key=lambda epoch: epoch["val_loss"], default=None)

    def outcome(self, state: str, reason: str | None) -> dict[str, Any]:
        """What a result file says about the training; times in s, `step_ms` in ms."""
        best = self.best_epoch
        return {
            "state": state,
            "value": best and best["val_loss"],
            "val_accuracy": best and best["val_accuracy"],
            "best_epoch": best and int(best["epoch"]),
            "parameters": self.parameters,
            "step_ms": _median([epoch["step_ms"] for epoch in self.epochs]),
            "train_s": math.fsum(
                epoch["train_s"] + epoch["validation_s"] + epoch["compile_s"]
                for epoch in self.epochs
            ),
            "path": self.path,
            "worker": self.worker,
            "reason": reason,
            "started": self.started,
            "finished": files.now(),
        }


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def group_name(arm: Arm, search: int) -> str:
    """What trainings of one search are listed under: `depth=2`, or `depth=2, search 3`."""
    return arm.name if search == 1 else f"{arm.name}, search {search}"
