"""Small stand-ins that train nothing: a dataset of noise, and a pool that computes its losses."""

import math
import random
import zipfile
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness import Budget, CategoricalDistribution, FloatDistribution, IntDistribution, Study
from harness.core.signals import StopRequest
from harness.datasets.base.dataset import Arrays, Dataset, Split
from harness.results.run_directory import RunDirectory
from harness.search.arm_search import ArmSearch
from harness.search.coordinator import Coordinator
from harness.search.database import open_storage, sqlite_url
from harness.search.progress import ProgressDisplay
from harness.workers.messages import (
    Continue,
    Died,
    Down,
    EpochDone,
    Failed,
    Finished,
    Pause,
    Paused,
    Progress,
    Ready,
    Started,
    Stop,
    TestScores,
    TrainRequest,
    Up,
)


def write_model(file: Path, text: str) -> None:
    """An archive like Keras's, with the same bytes for the same text."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (("config.json", "{}"), ("model.weights.h5", text)):
            archive.writestr(zipfile.ZipInfo(name), content)


@dataclass(frozen=True, kw_only=True)
class Noise(Dataset):
    train: int = 64
    validation: int = 32
    test: int = 32
    name = "noise"

    def prepare(self, notify: Callable[[str], None]) -> None:
        pass

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        rng = np.random.default_rng(len(split))
        n = getattr(self, split)
        return Arrays(
            rng.integers(0, vocabulary, (n, sequence_length), dtype=np.int32),
            rng.integers(0, 2, n, dtype=np.int32),
        )

    def words(self, vocabulary: int) -> list[str]:
        return [str(i) for i in range(vocabulary)]

    def fingerprint(self) -> str:
        return "0" * 64


SPACE = {
    "units": IntDistribution(4, 64, log=True),
    "sequence_length": CategoricalDistribution([50, 100, 200]),
    "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
    "dropout": FloatDistribution(0.0, 0.5),
}


def toy_study(**changes: object) -> Study:
    values: dict[str, object] = {
        "dataset": Noise(),
        "compare": {"depth": [1, 2]},
        "search": SPACE,
        "fixed": {"cell": "lstm", "vocabulary": 100},
        "budget": Budget(trials=6, epochs=4),
        "searches": 1,
        "replicates": 5,
        **changes,
    }
    return Study(**values)  # type: ignore[arg-type]


def losses(request: TrainRequest) -> list[float]:
    """A made-up validation curve that depends on the hyperparameters and the seed only."""
    hp = request.hyperparameters
    rng = random.Random(request.seed)
    floor = 0.3 + 0.02 * hp.depth + 0.1 * abs(math.log10(hp.learning_rate / 3e-3)) + hp.dropout / 9
    return [floor + 0.3 / epoch + rng.gauss(0, 0.02) for epoch in range(1, request.epochs + 1)]


@dataclass
class ToyPool:
    """A pool whose workers answer at once; `curve` makes the losses, or raises to fail."""

    count: int = 1
    curve: Callable[[TrainRequest], list[float]] = losses
    order: Callable[[list[int]], list[int]] = lambda workers: workers
    inbox: dict[int, deque[Up]] = field(default_factory=dict)
    trained: list[TrainRequest] = field(default_factory=list)
    replaced: int = 0

    def __post_init__(self) -> None:
        self._left: dict[int, list[float]] = {}
        self._training: dict[int, TrainRequest] = {}
        for worker in range(self.count):
            self.inbox[worker] = deque([Ready()])

    def __len__(self) -> int:
        return self.count

    @property
    def ready(self) -> list[int]:
        return [worker for worker, box in self.inbox.items() if Ready() not in box]

    def send(self, worker: int, message: Down) -> None:
        match message:
            case TrainRequest():
                self.trained.append(message)
                self._training[worker] = message
                try:
                    self._left[worker] = list(self.curve(message))
                except SystemExit as death:
                    self.inbox[worker].append(Died(f"exit code {death.code}"))
                    return
                except Exception as error:
                    self.inbox[worker].append(Failed(message.task, f"exception: {error}"))
                    return
                self.inbox[worker].append(Started(message.task, 1000, "toy"))
                self._epoch(worker)
            case Continue(task):
                if self._left[worker]:
                    self._epoch(worker)
                else:
                    self.inbox[worker].append(Finished(task, self._test(worker)))
            case Pause():
                self.inbox[worker].append(Paused(self._training[worker].task))
            case Stop(task):
                self.inbox[worker].append(Finished(task, self._test(worker)))

    def _test(self, worker: int) -> TestScores | None:
        """Scores of a made-up model: deeper ones are right less often."""
        request = self._training[worker]
        if not request.score:
            return None
        if request.model is not None:
            write_model(Path(request.model), request.task)
        rng = np.random.default_rng(request.seed)
        right = (
            rng.random(getattr(request.dataset, request.score))
            < 0.9 - 0.05 * request.hyperparameters.depth
        )
        return TestScores(0.3, right.astype(np.uint8))

    def _epoch(self, worker: int) -> None:
        train = self._training[worker]
        loss = self._left[worker].pop(0)
        epoch = train.epochs - len(self._left[worker])
        self.inbox[worker].append(Progress(train.task, epoch, 1, 2, loss))
        metrics = {
            "epoch": epoch, "loss": loss, "accuracy": 0.8, "val_loss": loss,
            "val_accuracy": 1.0 - loss, "train_s": 0.5, "validation_s": 0.1,
            "compile_s": 1.0 if epoch == 1 else 0.0, "step_ms": 5.0,
        }  # fmt: skip
        self.inbox[worker].append(EpochDone(train.task, metrics))

    def wait(self, timeout_s: float) -> list[tuple[int, Up]]:
        waiting = self.order([worker for worker, box in self.inbox.items() if box])
        return [(worker, self.inbox[worker].popleft()) for worker in waiting]

    memory_limit: int = 10**10
    held: int = 0

    def name(self, worker: int) -> str:
        return str(worker)

    def memory(self, worker: int) -> int:
        return self.held

    def replace(self, worker: int) -> None:
        self.replaced += 1
        self.inbox[worker] = deque([Ready()])


def run_search(
    root: RunDirectory,
    study: Study,
    pool: ToyPool,
    stop: StopRequest | None = None,
    **options: object,
) -> list[ArmSearch]:
    """A search as a session does it, with a toy pool."""
    storage = open_storage(sqlite_url(root.database))
    arms = [
        ArmSearch("toy", study, arm, storage, root, search)
        for search in range(1, study.independent_searches + 1)
        for arm in study.arms()
    ]
    board = ProgressDisplay([arm.group for arm in arms], study.budget.trials, len(pool), 4)
    Coordinator(arms, pool, board, stop or StopRequest(), **options).run()  # type: ignore[arg-type]
    return arms


def outcomes(arms: list[ArmSearch]) -> dict[str, list[tuple[object, ...]]]:
    """What must be equal between an interrupted study and an uninterrupted one."""
    return {
        arm.arm.name: [
            (
                t.number,
                t.state.name,
                t.params,
                t.value,
                t.intermediate_values,
                {name: value for name, value in t.user_attrs.items() if name != "worker"},
            )
            for t in arm.finished_trials()
        ]
        for arm in arms
    }
