"""What the coordinator works with: a pool of workers, and trainings to give them. No Keras."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any, Protocol

from harness.search.assignment import Assignment
from harness.spec.study import Arm
from harness.workers.messages import Down, TestScores, TrainRequest, Up


class Pool(Protocol):
    """Where trainings run: harness.workers.local.LocalPool, or RayPool on a cluster.

    `name` is what records say about who trained: short, and the same in every session.
    """

    def __len__(self) -> int: ...
    def name(self, worker: int) -> str: ...
    def send(self, worker: int, message: Down) -> None: ...
    def wait(self, timeout_s: float) -> list[tuple[int, Up]]: ...
    def replace(self, worker: int) -> None: ...
    @property
    def ready(self) -> Collection[int]: ...
    def memory(self, worker: int) -> int: ...
    @property
    def memory_limit(self) -> int: ...


class Trainings(Protocol):
    """An arm's trainings, one after another: its search, or its replicates.

    With `independent`, none depends on the outcome of another: any number may run at once.
    """

    arm: Arm
    group: str  # its name here and in the progress display
    independent: bool
    done: Counter[str]

    @property
    def has_more(self) -> bool: ...
    def next(self) -> Assignment: ...
    def training_request(self, assignment: Assignment) -> TrainRequest: ...
    def report(self, assignment: Assignment, metrics: Mapping[str, float]) -> bool: ...
    def end(
        self,
        assignment: Assignment,
        outcome: str,
        reason: str | None = None,
        test: TestScores | None = None,
    ) -> dict[str, Any]: ...
    def suppose_failed(self, assignment: Assignment, reason: str) -> dict[str, Any]: ...
    def release(self, assignment: Assignment) -> None: ...
