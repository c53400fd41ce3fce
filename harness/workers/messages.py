"""Messages between coordinator and workers, the same over pipes and on Ray.

Down, to the worker: TrainRequest, then Continue or Stop after each epoch; Pause at any time.

Up, to the coordinator: Ready once, or Unable. For each training Started, Progress every few
seconds, EpochDone after each epoch (the worker waits for the answer), and at the end Finished,
Failed or Paused. The answer to a Measure is a Measurement or Failed. Died comes from the pool
itself, when the process of a worker has ended.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Dataset, Split
from harness.datasets.base.forecast_scores import ForecastScores
from harness.datasets.base.predictions import Predictions
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters


@dataclass(frozen=True)
class TrainRequest:
    """One training: `task` is its name in all answers, `seed` decides all its randomness.

    Checkpoints go to the folder `checkpoints`. If a training finds its own checkpoint there, it
    continues from it. It then sends the EpochDone of the epochs before again, so that the
    coordinator decides about them as if they had just ended.

    With `score`, the name of a split, the weights are scored on that split at the end. With
    `model`, a path, they are saved there as a model of stock Keras layers. Both use the weights of
    the best epoch (lowest validation loss) with `keep_best`, else those of the last epoch. The
    signature is the dataset's own, unless another one is given, with a builder of models.
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
    group: "Group | None" = None


@dataclass(frozen=True)
class Group:
    """Trainings that may be trained side by side with the one that is asked for.

    That is number `own` of `members`; `others` are those that have not ended, each with its number.
    They send no messages. The worker stops one of them where the answer to its EpochDone would be
    Stop: after `patience` epochs without a lower validation loss, or at a loss that is not finite.
    """

    members: int
    own: int
    others: tuple[tuple[int, TrainRequest], ...]
    patience: int | None


def within_patience(epoch: float, best: float, patience: int | None) -> bool:
    """Whether a training goes on after an epoch, given its best one, both counted from 1."""
    return patience is None or epoch - best < patience


@dataclass(frozen=True)
class Measure:
    """Time the program that trains `hyperparameters`, for about `seconds` of training steps.

    The data are random. `path` forces an execution path; None leaves it to `choose_path`. With
    `rows`, the sizes of a training and a validation split, the program that trains on such splits
    is measured as the worker holds it. Without it, a program is made for the measurement.
    """

    task: str
    hyperparameters: Hyperparameters
    signature: Signature
    path: str | None
    seconds: float
    rows: tuple[int, int] | None = None


@dataclass(frozen=True)
class Continue:
    task: str


@dataclass(frozen=True)
class Stop:
    """Stop after the last reported epoch: the training is pruned, or has diverged."""

    task: str


@dataclass(frozen=True)
class Pause:
    """Write a checkpoint as soon as possible, and stop: the study stops."""


@dataclass(frozen=True)
class Paused:
    task: str


@dataclass(frozen=True)
class Ready:
    """The worker has imported its backend."""


@dataclass(frozen=True)
class Unable:
    """The worker can't start, and no other one will; `reason` is for the user. It ends."""

    reason: str


@dataclass(frozen=True)
class Started:
    task: str
    parameters: int
    path: str


@dataclass(frozen=True)
class Progress:
    """Sent within an epoch, after `step` of `steps`; `loss` is the running mean."""

    task: str
    epoch: int
    step: int
    steps: int
    loss: float


@dataclass(frozen=True)
class EpochDone:
    """`metrics` are the fields of harness.training.trainer.Epoch.

    `again` says that a checkpoint has brought the epoch back.
    """

    task: str
    metrics: Mapping[str, float]
    again: bool = False


@dataclass(frozen=True)
class TestScores:
    """The best epoch's weights on the test split.

    `scores` has one number for each example; their mean is the metric. For accuracy it is 1 where
    the prediction is right, else 0 (uint8); see `harness.core.metrics.scored`. For a forecast they
    follow from `forecasts`. `measures` are other scores of the same predictions, and
    `predictions` are those of a model that is saved.
    """

    loss: float
    scores: NDArray[np.generic]
    forecasts: ForecastScores | None = None
    predictions: Predictions | None = None
    measures: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    task: str
    test: TestScores | None = None


@dataclass(frozen=True)
class Measurement:
    """`figures` as returned by harness.workers.timing.measure: plain JSON values."""

    task: str
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Failed:
    """The training raised an error; the worker continues.

    `reason` begins with its kind: `machine` where the disk or the device refused, `out of memory`,
    or `exception`.
    """

    task: str
    reason: str


@dataclass(frozen=True)
class Notice:
    """A line for the user, such as an execution path that failed and what is used instead."""

    text: str


@dataclass(frozen=True)
class Died:
    """The worker's process ended; `how` names the exit code or signal."""

    how: str


Up = (
    Ready
    | Unable
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
