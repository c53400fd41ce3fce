"""Epochs by Keras's own `fit`: the reference, and the way on GPUs, JAX and torch."""

import math
import time
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.epochs import PROGRESS_S, Measured, OnStep, loss_and_accuracy
from harness.training.losses import class_weights, plain_loss
from harness.training.optimizers import BY_STEP, Optimizer, stock


class FitEpochs:
    """Epochs by stock Keras: `Model.fit`, one epoch at a time, on any backend."""

    pausable = False  # `fit` starts with new running means

    def __init__(self, hp: Hyperparameters, signature: Signature) -> None:
        started = time.perf_counter()
        self.model = networks.build(hp, signature, path="keras", seed=0)
        self._hp, self._signature, self._batch = hp, signature, hp.batch_size
        loss, accuracy = loss_and_accuracy(signature, "sum_over_batch_size", hp.label_smoothing)
        accuracy.name = "accuracy"
        # With smoothed labels a loss is not comparable; validation takes it without.
        unsmoothed = [plain_loss(signature)] if hp.label_smoothing else []
        self._optimizer = Optimizer(hp)
        self._loss, self._metrics = loss, [accuracy, *unsmoothed]
        self.model.compile(self._optimizer.keras, loss, metrics=self._metrics)
        self.build_s, self.compile_s = time.perf_counter() - started, 0.0

    def compile(self, train: Arrays, validation: Arrays) -> None:
        started = time.perf_counter()
        # One full batch, and the last one: JAX compiles its shape separately.
        rows = self._batch + len(train.x) % self._batch
        y = train.y[:rows]
        self.model.fit(
            train.x[:rows], y, self._batch, verbose=0, sample_weight=self._weights(train, y)
        )
        rows = self._batch + len(validation.x) % self._batch
        self.model.evaluate(validation.x[:rows], validation.y[:rows], self._batch, verbose=0)
        self.compile_s = time.perf_counter() - started

    def reset(self, hp: Hyperparameters, seed: int, steps: int = 1) -> None:
        fresh = networks.build(hp, self._signature, path="keras", seed=seed)
        for ours, theirs in zip(_layer_variables(self.model), _layer_variables(fresh), strict=True):
            ours.assign(theirs)
        self._optimizer.reset(hp, steps)

    def set_learning_rate(self, rate: float) -> None:
        self._optimizer.set_rate(rate)

    def train(
        self, split: Arrays, order: NDArray[np.int64], on_step: OnStep, *, done: int, seconds: float
    ) -> Measured:
        watch = _Watch(on_step)
        history = self.model.fit(
            split.x[order],
            split.y[order],
            self._batch,
            shuffle=False,
            verbose=0,
            callbacks=[watch],
            sample_weight=self._weights(split, split.y[order]),
        )
        logs = {name: float(values[-1]) for name, values in history.history.items()}
        return Measured(logs["loss"], logs["accuracy"], watch.seconds)

    def evaluate(self, split: Arrays) -> Measured:
        started = time.perf_counter()
        logs = self.model.evaluate(split.x, split.y, self._batch, verbose=0, return_dict=True)
        seconds = time.perf_counter() - started
        loss = logs["plain_loss" if self._hp.label_smoothing else "loss"]
        return Measured(float(loss), float(logs["accuracy"]), seconds)

    def _weights(self, train: Arrays, y: NDArray[Any]) -> NDArray[Any] | None:
        """The weight of each example (and step), where classes are weighted."""
        if self._hp.class_weight == "none":
            return None
        weights: NDArray[Any] = class_weights(self._hp, self._signature, train.y)[y]
        return weights

    def predict(self, split: Arrays) -> NDArray[np.float32]:
        return np.asarray(self.model.predict(split.x, self._batch, verbose=0))

    def stock_model(self, steps: int) -> keras.Model:
        """The model, for others to train: its schedule is one of Keras's own, over `steps`."""
        if self._hp.schedule in BY_STEP:
            self.model.compile(stock(self._hp, steps), self._loss, metrics=self._metrics)
        return self.model

    def variables(self) -> list[Any]:
        return [*_layer_variables(self.model), *self._optimizer.variables]


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
