"""Epochs as one compiled program: no Python between the steps.

`CompiledEpochs` runs the optimizer steps in a loop inside one XLA program, over data in memory.
Model, loss, optimizer and metrics are those of Keras. A program is made once for a shape, and reset
for each training from its seed. So the numbers of a training do not depend on what was trained
before. `TensorFlowEpochs` and `JaxEpochs` make the programs; `FitEpochs` does the same with Keras's
own `fit`.
"""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Arrays, Examples
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.epochs import (
    PROGRESS_S,
    ErrorInUnit,
    Measured,
    OnStep,
    consecutive,
    loss_and_accuracy,
)
from harness.training.losses import PADDING, class_weights
from harness.training.optimizers import Optimizer

TRAIN, EVALUATE = "train", "evaluate"  # the two programs


class CompiledEpochs(ABC):
    """Epochs as XLA programs. `compile` fixes the batch size and the sizes of the splits."""

    pausable = True

    def __init__(self, hp: Hyperparameters, signature: Signature, path: str) -> None:
        started = time.perf_counter()
        self.model = networks.build(hp, signature, path=path, seed=0)
        self._hp, self._signature, self._path = hp, signature, path
        self.batch_size = hp.batch_size
        # The last batch of an epoch is filled with examples of weight zero, so that one program
        # is enough. The weighted mean is then Keras's mean over the real examples.
        self._loss, accuracy = loss_and_accuracy(signature, "mean_with_sample_weight")
        self._metrics = (keras.metrics.Mean(), accuracy)
        self._smoothed, _ = loss_and_accuracy(signature, "sum", hp.label_smoothing)
        weighted = np.ones(max(1, signature.classes), np.float32)
        self._class_weights = keras.Variable(weighted, trainable=False, name="class_weights")
        self._optimizer = Optimizer(hp, adjustable=True)
        self._optimizer.keras.build(self.model.trainable_variables)
        self._validation: Examples | None = None
        self.build_s, self.compile_s = time.perf_counter() - started, 0.0

    def compile(self, train: Examples, validation: Examples) -> None:
        self._validation = validation
        self.compile_s = self._compile(train, validation)

    @abstractmethod
    def _compile(self, train: Examples, validation: Examples) -> float:
        """Make both programs; returns the seconds that tracing and compiling them took once."""

    @property
    @abstractmethod
    def compiled_by_xla(self) -> bool:
        """Whether XLA compiled both programs; False before `compile`."""

    @abstractmethod
    def _run(
        self, name: str, split: Examples, order: NDArray[np.int32], numbers: tuple[int, int, int]
    ) -> tuple[Any, Any, Any]:
        """Run TRAIN or EVALUATE over the places `order`: the means so far, all outputs.

        `numbers` are how many places count, and the first step and the one after the last.
        """

    def reset(self, hp: Hyperparameters, seed: int, steps: int = 1) -> None:
        fresh = networks.build(hp, self._signature, path=self._path, seed=seed)
        for ours, theirs in zip(self.model.variables, fresh.variables, strict=True):
            ours.assign(theirs)
        self._optimizer.reset(hp, steps)
        for layer, name in networks.adjustable(self.model):
            layer.set_rate(getattr(hp, name))

    def set_learning_rate(self, rate: float) -> None:
        self._optimizer.set_rate(rate)

    @property
    def learning_rate(self) -> Any:
        """The variable that `set_learning_rate` sets."""
        return self._optimizer.rate

    def train(
        self,
        split: Examples,
        order: NDArray[np.int64],
        on_step: OnStep,
        *,
        done: int,
        seconds: float,
    ) -> Measured:
        self.begin(TRAIN, split, fresh=done == 0)
        if done == 0:
            networks.forget(self.model)

        def run(first: int, last: int) -> tuple[float, float]:
            return self._call(TRAIN, split, order, first, last)[:2]

        steps = math.ceil(len(order) / self.batch_size)
        return Measured(*in_blocks(run, steps, on_step, done=done, seconds=seconds))

    def evaluate(self, split: Examples) -> Measured:
        return self._through(split)[0]

    def predict(self, split: Examples) -> NDArray[np.float32]:
        outputs = np.concatenate(self._through(split)[1])
        return outputs[np.argsort(self._carrying(split))] if self._hp.stateful else outputs

    def _carrying(self, split: Examples) -> NDArray[np.int64]:
        return consecutive(len(split), self.batch_size)

    def _through(self, split: Examples) -> tuple[Measured, list[NDArray[np.float32]]]:
        """Evaluate a split in pieces as large as the validation split: one program is enough.

        Where layers carry their state on, the outputs are in the order of the text's rows, and
        states go on from piece to piece.
        """
        self.begin(EVALUATE, split, fresh=True)
        started = time.perf_counter()
        assert self._validation is not None, "compile comes first"
        networks.forget(self.model)
        if self._hp.stateful and isinstance(split, Arrays):
            split = Arrays(*split.examples(self._carrying(split)))
        outputs = []
        for piece in split.pieces(self._validation):
            order = np.arange(len(self._validation)) % len(piece)
            steps = math.ceil(len(piece) / self.batch_size)
            loss, accuracy, found = self._call(EVALUATE, piece, order, 0, steps, rows=len(piece))
            outputs.append(np.asarray(found)[: len(piece)])  # the rest fills the last batch
        return Measured(loss, accuracy, time.perf_counter() - started), outputs

    def variables(self) -> list[Any]:
        means = [variable for metric in self._metrics for variable in metric.variables]
        states = networks.states(self.model)
        return [*self.model.variables, *self._optimizer.variables, *means, *states]

    def _state(self) -> list[Any]:
        """All variables of Keras that the programs use, in an order that never changes."""
        return [*self.variables(), self._class_weights]

    def _rates(self) -> list[Any]:
        """The variables of the layers' rates of dropout, in an order that never changes."""
        return [layer.rate_variable for layer, _ in networks.adjustable(self.model)]

    def _call(
        self,
        name: str,
        split: Examples,
        order: NDArray[np.int64],
        first: int,
        last: int,
        rows: int | None = None,
    ) -> tuple[float, float, Any]:
        """Run steps `first` to `last` over the first `rows` of `order`: means so far, outputs."""
        rows = len(order) if rows is None else rows
        padded = self.padded(split, order)
        loss, accuracy, outputs = self._run(name, split, padded, (rows, first, last))
        return float(loss), float(accuracy), outputs

    def begin(self, name: str, split: Examples, *, fresh: bool) -> list[Any]:
        """Set what TRAIN or EVALUATE takes from a split: the weights of classes, the unit.

        With `fresh` also forget the metrics so far. Returns the variables that are set now.
        """
        loss, accuracy = self._metrics
        if name == TRAIN and self._hp.class_weight != "none" and isinstance(split, Arrays):
            self._class_weights.assign(class_weights(self._signature, split.y))
        if isinstance(accuracy, ErrorInUnit):
            accuracy.set_scale(split)
        if not fresh:
            return [self._class_weights]
        loss.reset_state()
        accuracy.reset_state()
        return [self._class_weights, *loss.variables, *accuracy.variables]

    def padded(self, split: Examples, order: NDArray[np.int64]) -> NDArray[np.int32]:
        """The places of a split's examples, filled up to whole batches."""
        places = split.places(order)
        padded = np.full(
            math.ceil(len(order) / self.batch_size) * self.batch_size, places[0], np.int32
        )
        padded[: len(order)] = places
        return padded

    def _forward(self, x: Any, y: Any, weights: Any, *, training: bool) -> tuple[Any, Any]:
        """The loss and outputs of a batch; also updates the metrics."""
        outputs = self.model(x, training=training)
        if self._signature.ragged:
            return self._forward_ragged(y, outputs, weights, training=training), outputs
        if self._signature.steps:
            weights = keras.ops.repeat(weights[:, None], self._signature.steps, axis=1)
        if self._signature.outputs == 1:
            y = y[..., None]
        if training and (self._hp.label_smoothing or self._hp.class_weight != "none"):
            loss = self._weighted_loss(y, outputs, weights)
        else:
            loss = self._loss(y, outputs, sample_weight=weights)
        mean_loss, accuracy = self._metrics
        mean_loss.update_state(loss, sample_weight=keras.ops.sum(weights))
        accuracy.update_state(y, outputs, sample_weight=weights)
        return loss, outputs

    def _forward_ragged(self, y: Any, outputs: Any, weights: Any, *, training: bool) -> Any:
        """The loss of a batch of sequences with steps of padding; also updates the metrics.

        What fills up the last batch becomes padding, too.
        """
        ops = keras.ops
        y = ops.where(weights[:, None] > 0.0, y, PADDING)
        of_class = None
        if training and self._hp.class_weight != "none":
            of_class = ops.take(self._class_weights, ops.maximum(y, 0))
        loss = (self._smoothed if training else self._loss)(y, outputs, sample_weight=of_class)
        mean_loss, accuracy = self._metrics
        # In training as in Keras's `fit`, by examples; else each step counts alike.
        counted = weights if training else ops.cast(y > PADDING, "float32")
        mean_loss.update_state(loss, sample_weight=ops.sum(counted))
        accuracy.update_state(y, outputs)
        return loss

    def _weighted_loss(self, y: Any, outputs: Any, weights: Any) -> Any:
        """Of smoothed labels and weighted classes, as `fit` has it: a mean over the examples."""
        classes = keras.ops.cast(y, "int32")
        if self._signature.outputs == 1:
            classes = keras.ops.squeeze(classes, axis=-1)
        of_class = keras.ops.take(self._class_weights, classes)
        return self._smoothed(y, outputs, sample_weight=weights * of_class) / keras.ops.sum(weights)


def in_blocks(
    run: Callable[[int, int], tuple[Any, Any]],
    steps: int,
    on_step: Callable[[int, Any, float], None],
    *,
    done: int,
    seconds: float,
) -> tuple[Any, Any, float]:
    """The rest of an epoch's steps, in blocks of about `PROGRESS_S` seconds.

    `run(first, last)` runs some steps and returns the means so far, the loss first. `on_step` is
    called between two blocks. Returns the last means, and the seconds of all steps.
    """
    block = 8
    loss = accuracy = math.nan
    while done < steps:
        last = min(done + block, steps)
        started = time.perf_counter()
        loss, accuracy = run(done, last)
        seconds += time.perf_counter() - started
        done = last
        block = max(1, round(PROGRESS_S * done / seconds))
        if done < steps and done > 8:
            on_step(done, loss, seconds)
    return loss, accuracy, seconds
