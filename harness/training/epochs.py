"""What an epoch of training gives, whichever way it is run."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters

PROGRESS_S = 2.0  # seconds between two progress messages, about


# Steps done in this epoch, running loss, seconds of training in this epoch.
OnStep = Callable[[int, float, float], None]


class Measured(NamedTuple):
    """Means over the examples of a split, and the wall time that they took."""

    loss: float
    accuracy: float
    seconds: float


class Epochs(Protocol):
    """What a training needs of either way of running epochs."""

    model: keras.Model
    pausable: bool  # whether `train` can go on from within an epoch

    def compile(self, train: Arrays, validation: Arrays) -> None:
        """Trace and compile, by running without an effect that outlasts `reset`."""

    def reset(self, hp: Hyperparameters, seed: int) -> None:
        """Initial weights, optimizer and random state for `seed`; rates of `hp`."""

    def train(
        self, split: Arrays, order: NDArray[np.int64], on_step: OnStep, *, done: int, seconds: float
    ) -> Measured:
        """One epoch over the examples of `split` in `order`, or what is left of it.

        `done` steps have been taken before, in `seconds`; 0 where the program is not `pausable`.
        """

    def evaluate(self, split: Arrays) -> Measured:
        """Loss and accuracy on a split, without learning."""

    def predict(self, split: Arrays) -> NDArray[np.float32]:
        """The model's outputs for each example: (n, outputs), or (n, steps, outputs)."""

    def variables(self) -> list[Any]:
        """All state that training changes: weights, random state, optimizer, running means."""


def loss_and_accuracy(signature: Signature, reduction: str) -> tuple[Any, Any]:
    """The loss, and the metric that is told beside it: of numbers R², the variance explained."""
    if signature.classes == 0:
        r2 = keras.metrics.R2Score()
        # It makes its variables when first used, which must not be within a compiled program.
        r2.update_state(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32))
        r2.reset_state()
        return keras.losses.MeanSquaredError(reduction=reduction), r2
    if signature.classes == 2:
        return (
            keras.losses.BinaryCrossentropy(reduction=reduction),
            keras.metrics.BinaryAccuracy(),
        )
    return (
        keras.losses.SparseCategoricalCrossentropy(reduction=reduction),
        keras.metrics.SparseCategoricalAccuracy(),
    )
