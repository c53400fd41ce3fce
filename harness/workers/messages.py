"""What coordinator and workers say to each other, whatever carries it (pipes, Ray).

Down: TrainRequest, then after each epoch Continue or Stop; Pause at any time. Up: Ready once, then
for each training Started, Progress every few seconds, EpochDone at each epoch's end (the worker
waits for the answer), and at last Finished, Failed or Paused. A Measure is answered by Measurement
or Failed. Died is the pool's own word for a worker whose process is gone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Dataset, Split
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class TrainRequest:
    """One training: `task` names it in all that comes back; `seed` decides all its randomness.

    Checkpoints go to the folder `checkpoints`. A training that finds its own there goes on from
    it, and sends the EpochDone of each epoch before again, so that the coordinator decides on
    them as if they had just ended.

    With `score`, a split's name, the weights are scored on that split at the end; with `model`
    they are saved there as a model of stock Keras layers. Either takes the weights of the best
    epoch (lowest validation loss) with `keep_best`, else those of the last. The signature is the
    dataset's own, unless another is given: one with a builder of models.
    """

    task: str
    dataset: Dataset
    hyperparameters: Hyperparameters
    seed: int
    epochs: int
    checkpoints: str
    score: Split | None = None
    keep_best: bool = False
    model: str | None = None
    signature: Signature | None = None


@dataclass(frozen=True)
class Measure:
    """Time the program that trains `hyperparameters`, for about `seconds` of training steps.

    The data are random. `path` forces an execution path; None leaves it to `choose_path`.
    """

    task: str
    hyperparameters: Hyperparameters
    signature: Signature
    path: str | None
    seconds: float


@dataclass(frozen=True)
class Continue:
    task: str


@dataclass(frozen=True)
class Stop:
    """Stop after the epoch just reported: the training is pruned, or has diverged."""

    task: str


@dataclass(frozen=True)
class Pause:
    """Checkpoint the training as soon as it can be gone on from, and stop: the study stops."""


@dataclass(frozen=True)
class Paused:
    task: str


@dataclass(frozen=True)
class Ready:
    """The worker has imported its backend."""


@dataclass(frozen=True)
class Started:
    task: str
    parameters: int
    path: str


@dataclass(frozen=True)
class Progress:
    """Within an epoch, after `step` of `steps`; `loss` is the running mean."""

    task: str
    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """`metrics` as harness.training.Epoch has them: epoch, losses, accuracies, seconds."""

    task: str
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class TestScores:
    """The best epoch's weights on the test split.

    `scores` has one number an example, whose mean is the metric: for accuracy 1 where the
    prediction is right, else 0 (uint8); see `statistics.scored`.
    """

    loss: float
    scores: NDArray[np.generic]


@dataclass(frozen=True)
class Finished:
    task: str
    test: TestScores | None = None


@dataclass(frozen=True)
class Measurement:
    """`figures` as harness.workers.measuring has them; plain JSON values."""

    task: str
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Failed:
    """The training raised; the worker itself goes on. `reason` begins with its kind."""

    task: str
    reason: str


@dataclass(frozen=True)
class Notice:
    """A line for the user, such as an execution path that failed and what is used instead."""

    text: str


@dataclass(frozen=True)
class Died:
    """The worker's process ended; `how` says with which exit code or signal."""

    how: str


Up = (
    Ready
    | Started
    | Progress
    | EpochDone
    | Finished
    | Measurement
    | Failed
    | Paused
    | Notice
    | Died
)
Down = TrainRequest | Measure | Continue | Stop | Pause
