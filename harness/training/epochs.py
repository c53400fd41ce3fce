"""What both ways of running an epoch have in common."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training.losses import SmoothedCrossentropy

PROGRESS_S = 2.0  # about how many seconds are between two progress messages


# Steps done in this epoch, running loss, seconds of training in this epoch.
OnStep = Callable[[int, float, float], None]


class Measured(NamedTuple):
    """Means over the examples of a split, and the wall time in seconds."""

    loss: float
    accuracy: float
    seconds: float


class Epochs(Protocol):
    """A program that runs the epochs of one model: what a training needs of it."""

    model: keras.Model
    pausable: bool  # whether `train` can continue within an epoch
    build_s: float  # seconds for the model and its optimizer
    compile_s: float  # of `compile`, or of the first time where the program was found compiled

    def compile(self, train: Arrays, validation: Arrays) -> None:
        """Trace and compile. `reset` removes whatever this changes."""

    def reset(self, hp: Hyperparameters, seed: int, steps: int = 1) -> None:
        """Set initial weights, optimizer and random state for `seed`, and the rates of `hp`.

        `steps` are those of the whole training: what a schedule of the learning rate spans.
        """

    def set_learning_rate(self, rate: float) -> None:
        """Set the (base) rate of the steps from now on, until the next `reset`."""

    def train(
        self, split: Arrays, order: NDArray[np.int64], on_step: OnStep, *, done: int, seconds: float
    ) -> Measured:
        """Train one epoch over the examples of `split` in `order`, or the rest of it.

        `done` steps were done before, in `seconds`; both are 0 where it is not `pausable`.
        """

    def evaluate(self, split: Arrays) -> Measured:
        """Loss and accuracy on a split, without training; labels and classes as they are."""

    def predict(self, split: Arrays) -> NDArray[np.float32]:
        """The model's outputs for each example: (n, outputs), or (n, steps, outputs)."""

    def variables(self) -> list[Any]:
        """All state that training changes: weights, random state, optimizer, running means."""


def loss_and_accuracy(
    signature: Signature, reduction: str, label_smoothing: float = 0.0
) -> tuple[Any, Any]:
    """The loss, and the metric beside it: accuracy, or R² where numbers are predicted."""
    if signature.classes == 0:
        r2 = keras.metrics.R2Score()
        # R2Score makes its variables at its first use, which must be outside compiled programs.
        r2.update_state(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32))
        r2.reset_state()
        return keras.losses.MeanSquaredError(reduction=reduction), r2
    if signature.classes == 2:
        return (
            keras.losses.BinaryCrossentropy(reduction=reduction, label_smoothing=label_smoothing),
            keras.metrics.BinaryAccuracy(),
        )
    loss = (
        SmoothedCrossentropy(signature.classes, label_smoothing, reduction)
        if label_smoothing
        else keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
    )
    return loss, keras.metrics.SparseCategoricalAccuracy()
