"""What both ways of running an epoch have in common."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Examples
from harness.datasets.base.signature import Signature
from harness.datasets.base.windows import Windows
from harness.spec.hyperparameters import Hyperparameters
from harness.training.losses import AccuracyOfRealSteps, LossOfRealSteps, SmoothedCrossentropy

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

    def compile(self, train: Examples, validation: Examples) -> None:
        """Trace and compile. `reset` removes whatever this changes."""

    def reset(self, hp: Hyperparameters, seed: int, steps: int = 1) -> None:
        """Set initial weights, optimizer and random state for `seed`, and the rates of `hp`.

        `steps` are those of the whole training: what a schedule of the learning rate spans.
        """

    def set_learning_rate(self, rate: float) -> None:
        """Set the (base) rate of the steps from now on, until the next `reset`."""

    def train(
        self,
        split: Examples,
        order: NDArray[np.int64],
        on_step: OnStep,
        *,
        done: int,
        seconds: float,
    ) -> Measured:
        """Train one epoch over the examples of `split` in `order`, or the rest of it.

        `done` steps were done before, in `seconds`; both are 0 where it is not `pausable`.
        """

    def evaluate(self, split: Examples) -> Measured:
        """Loss and accuracy on a split, without training; labels and classes as they are."""

    def predict(self, split: Examples) -> NDArray[np.float32]:
        """The model's outputs for each example: (n, outputs), or (n, steps, outputs)."""

    def variables(self) -> list[Any]:
        """All state that training changes: weights, random state, optimizer, running means."""


def epoch_order(seed: int, epoch: int, examples: int) -> NDArray[np.int64]:
    """The order in which an epoch visits its examples: a function of seed and epoch alone."""
    return np.random.default_rng((seed, epoch)).permutation(examples)


def order_of(hp: Hyperparameters, seed: int, epoch: int, examples: int) -> NDArray[np.int64]:
    """The order of an epoch's examples; where layers carry their state on, that of the text."""
    if hp.stateful:
        return consecutive(examples, hp.batch_size)
    return epoch_order(seed, epoch, examples)


def consecutive(examples: int, batch: int) -> NDArray[np.int64]:
    """The order in which row r of each batch goes on where row r of the batch before ends.

    `examples` is a multiple of `batch`.
    """
    return np.arange(examples).reshape(batch, -1).T.ravel()


def loss_and_accuracy(
    signature: Signature, reduction: str, label_smoothing: float = 0.0
) -> tuple[Any, Any]:
    """The loss, and the metric beside it: accuracy, R², the error of a forecast, bits."""
    if signature.horizon:
        return keras.losses.MeanSquaredError(reduction=reduction), ErrorInUnit(signature.outputs)
    if signature.classes == 0:
        r2 = keras.metrics.R2Score()
        # R2Score makes its variables at its first use, which must be outside compiled programs.
        r2.update_state(np.zeros((1, 1), np.float32), np.zeros((1, 1), np.float32))
        r2.reset_state()
        return keras.losses.MeanSquaredError(reduction=reduction), r2
    if signature.ragged:
        each = _of_classes(signature, "none", label_smoothing)
        return LossOfRealSteps(each), AccuracyOfRealSteps(name="accuracy")
    loss = _of_classes(signature, reduction, label_smoothing)
    if signature.classes == 2:
        return loss, keras.metrics.BinaryAccuracy()
    if signature.bits:
        return loss, bits_per_step()
    return loss, keras.metrics.SparseCategoricalAccuracy()


def bits_per_step() -> Any:
    """The cross-entropy in bits, as a metric."""

    def bits(y_true: Any, y_pred: Any) -> Any:
        return keras.losses.sparse_categorical_crossentropy(y_true, y_pred) / math.log(2.0)

    return keras.metrics.MeanMetricWrapper(bits, name="bits")


def _of_classes(signature: Signature, reduction: str, label_smoothing: float) -> Any:
    """The loss of classes."""
    if signature.classes == 2:
        return keras.losses.BinaryCrossentropy(reduction=reduction, label_smoothing=label_smoothing)
    if label_smoothing:
        return SmoothedCrossentropy(signature.classes, label_smoothing, reduction)
    return keras.losses.SparseCategoricalCrossentropy(reduction=reduction)


class ErrorInUnit(keras.metrics.Metric):  # type: ignore[misc]
    """The mean absolute error of a forecast's outputs, each times its `scale`, in the unit."""

    def __init__(self, outputs: int) -> None:
        super().__init__(name="mean_absolute_error")
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")
        self.scale = self.add_variable((outputs,), "ones", name="scale")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        ops = keras.ops
        y_true = ops.reshape(ops.cast(y_true, "float32"), ops.shape(y_pred))
        errors = ops.mean(ops.abs(y_true - y_pred) * self.scale, axis=-1)
        weights = ops.ones_like(errors) if sample_weight is None else sample_weight
        self.total.assign_add(ops.sum(errors * weights))
        self.count.assign_add(ops.sum(weights))

    def result(self) -> Any:
        return keras.ops.divide_no_nan(self.total, self.count)

    def reset_state(self) -> None:
        """Forget the examples; the scale stays."""
        self.total.assign(0.0)
        self.count.assign(0.0)

    def set_scale(self, split: Examples) -> None:
        """Take the scale of a split."""
        if isinstance(split, Windows):
            self.scale.assign(split.scale)
