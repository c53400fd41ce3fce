"""Epochs by Keras's own `fit`: the reference, and the way on torch and on TensorFlow with a GPU."""

import math
import time
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.dataset import Examples
from harness.datasets.base.signature import Signature
from harness.datasets.base.windows import Windows
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
from harness.training.losses import class_weights, plain_loss
from harness.training.optimizers import BY_STEP, Optimizer, stock


class FitEpochs:
    """Epochs by stock Keras: `Model.fit`, one epoch at a time, on any backend."""

    pausable = False  # `fit` starts with new running means

    def __init__(self, hp: Hyperparameters, signature: Signature) -> None:
        if hp.stateful and keras.backend.backend() == "jax":
            raise UserError("stateful: Keras's fit on JAX carries no state on; use path xla-scan")
        started = time.perf_counter()
        self.model = networks.build(hp, signature, path="keras", seed=0)
        self._hp, self._signature, self._batch = hp, signature, hp.batch_size
        loss, accuracy = loss_and_accuracy(signature, "sum_over_batch_size", hp.label_smoothing)
        accuracy.name = "accuracy"
        self._accuracy = accuracy
        # With smoothed labels a loss is not comparable; validation takes it without. A mean over
        # batches is none over steps where batches have different numbers of them.
        self._own_loss = bool(hp.label_smoothing) or signature.ragged
        unsmoothed = [plain_loss(signature)] if self._own_loss else []
        self._optimizer = Optimizer(hp)
        self._loss, self._metrics = loss, [accuracy, *unsmoothed]
        self.model.compile(self._optimizer.keras, loss, metrics=self._metrics)
        self.build_s, self.compile_s = time.perf_counter() - started, 0.0

    def compile(self, train: Examples, validation: Examples) -> None:
        started = time.perf_counter()
        # One full batch, and the last one: JAX compiles its shape separately.
        order = np.arange(min(len(train), self._batch + len(train) % self._batch))
        self.model.fit(**self._inputs(train, order, weighted=True), verbose=0)
        order = np.arange(min(len(validation), self._batch + len(validation) % self._batch))
        self.model.evaluate(**self._inputs(validation, order), verbose=0)
        self.compile_s = time.perf_counter() - started

    def reset(self, hp: Hyperparameters, seed: int, steps: int = 1) -> None:
        fresh = networks.build(hp, self._signature, path="keras", seed=seed)
        for ours, theirs in zip(_layer_variables(self.model), _layer_variables(fresh), strict=True):
            ours.assign(theirs)
        self._optimizer.reset(hp, steps)

    def set_learning_rate(self, rate: float) -> None:
        self._optimizer.set_rate(rate)

    def train(
        self,
        split: Examples,
        order: NDArray[np.int64],
        on_step: OnStep,
        *,
        done: int,
        seconds: float,
    ) -> Measured:
        watch = _Watch(on_step)
        networks.forget(self.model)
        self._set_scale(split)
        history = self.model.fit(
            **self._inputs(split, order, weighted=True),
            shuffle=False,
            verbose=0,
            callbacks=[watch],
        )
        logs = {name: float(values[-1]) for name, values in history.history.items()}
        return Measured(logs["loss"], logs["accuracy"], watch.seconds)

    def evaluate(self, split: Examples) -> Measured:
        started = time.perf_counter()
        self._set_scale(split)
        networks.forget(self.model)
        given = self._inputs(split, self._carrying(split))
        logs = self.model.evaluate(**given, verbose=0, return_dict=True)
        seconds = time.perf_counter() - started
        loss = logs["plain_loss" if self._own_loss else "loss"]
        return Measured(float(loss), float(logs["accuracy"]), seconds)

    def predict(self, split: Examples) -> NDArray[np.float32]:
        order = self._carrying(split)
        given = self._inputs(split, order)
        given.pop("y", None)
        networks.forget(self.model)
        found = np.asarray(self.model.predict(**given, verbose=0))
        return found if order is None else found[np.argsort(order)]

    def _carrying(self, split: Examples) -> NDArray[np.int64] | None:
        """The order of evaluation where layers carry their state on; None: as it is."""
        return consecutive(len(split), self._batch) if self._hp.stateful else None

    def _inputs(
        self, split: Examples, order: NDArray[np.int64] | None = None, *, weighted: bool = False
    ) -> dict[str, Any]:
        """What Keras gets: arrays, or batches that are cut from a series one after another.

        For training, `weighted`, each example has its class's weight, where classes are weighted.
        """
        if isinstance(split, Windows):
            order = np.arange(len(split)) if order is None else order
            return {"x": _Batches(split, order, self._batch)}
        if order is None:
            return {"x": split.x, "y": split.y, "batch_size": self._batch}
        given = {"x": split.x[order], "y": split.y[order], "batch_size": self._batch}
        if weighted and self._hp.class_weight != "none":
            weights = class_weights(self._signature, split.y)
            given["sample_weight"] = weights[split.y[order]]
        return given

    def _set_scale(self, split: Examples) -> None:
        if isinstance(self._accuracy, ErrorInUnit):
            self._accuracy.set_scale(split)

    def stock_model(self, steps: int) -> keras.Model:
        """The model, for others to train: its schedule is one of Keras's own, over `steps`."""
        if self._hp.schedule in BY_STEP:
            self.model.compile(stock(self._hp, steps), self._loss, metrics=self._metrics)
        return self.model

    def variables(self) -> list[Any]:
        return [*_layer_variables(self.model), *self._optimizer.variables]


class _Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The windows of a series in an order, a batch at a time."""

    def __init__(self, split: Windows, order: NDArray[np.int64], size: int) -> None:
        super().__init__()
        self._split, self._order, self._size = split, order, size

    def __len__(self) -> int:
        return -(-len(self._order) // self._size)

    def __getitem__(self, number: int) -> tuple[NDArray[Any], NDArray[Any]]:
        first = number * self._size
        return self._split.examples(self._order[first : first + self._size])


class _Watch(keras.callbacks.Callback):  # type: ignore[misc]
    """Measures the time of an epoch, and reports its progress every few seconds.

    The time leaves out the end of `fit`, which may take a second.
    """

    async_safe = True  # it reads no logs, so Keras does not have to wait for each step

    def __init__(self, on_step: OnStep) -> None:
        super().__init__()
        self._on_step = on_step
        self._started = self._said = 0.0
        self.seconds = 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self._started = self._said = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = time.perf_counter() - self._started

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        now = time.perf_counter()
        if now - self._said >= PROGRESS_S and batch > 0:
            self._said = now
            self._on_step(batch, self._running_loss(), now - self._started)

    def _running_loss(self) -> float:
        """NaN on JAX, where metrics reach their variables only at the end of an epoch."""
        if keras.backend.backend() == "jax":
            return math.nan
        return float(self.model.metrics[0].result())


def _layer_variables(model: keras.Model) -> list[Any]:
    """Weights and random state; `model.variables` would add those of metrics."""
    return [variable for layer in model.layers for variable in layer.variables]
