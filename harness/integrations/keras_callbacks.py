"""Keras's callbacks in a training that Keras does not run: what they do acts, or is refused.

The training calls them at its beginning and end, and around each epoch. A callback may set the
learning rate or the weights of its model there; both then act on the training. An epoch is one
compiled program, so nothing can act within it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import keras
import keras_tuner as kt
import numpy as np
from numpy.typing import NDArray

from harness.core.checks import is_number
from harness.core.errors import UserError
from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training import optimizers
from harness.training.epochs import loss_and_accuracy
from harness.training.trainer import Epoch, Trainer

# What Keras's `fit` would call within an epoch. Its own callbacks only show and write there.
_WITHIN = (
    "on_batch_begin", "on_batch_end", "on_train_batch_begin", "on_train_batch_end",
    "on_test_begin", "on_test_end", "on_test_batch_begin", "on_test_batch_end",
)  # fmt: skip
_KNOWN = ("keras", "keras_tuner")


class RefusedError(UserError, kt.errors.FatalError):  # type: ignore[misc]
    """A UserError that ends `search()`: after others KerasTuner goes on with the next trial."""


def check(
    callbacks: Sequence[Any], model: keras.Model, signature: Signature, hp: Hyperparameters
) -> None:
    """Raises RefusedError for callbacks or settings of the model that would have no effect."""
    given_callbacks = keras.tree.flatten(list(callbacks))
    tuners = [each.tuner for each in given_callbacks if hasattr(each, "tuner")]
    for callback in [*given_callbacks, *tuners]:
        for name in _WITHIN:
            method = getattr(callback, name, None)
            module = str(getattr(getattr(method, "__func__", method), "__module__", ""))
            if method is not None and module.partition(".")[0] not in _KNOWN:
                raise RefusedError(
                    f"{type(callback).__name__} has {name}, which is never called: an epoch is one "
                    "compiled program; use on_epoch_begin or on_epoch_end"
                )
        if getattr(callback, "save_freq", "epoch") not in ("epoch", None):
            raise RefusedError(
                f"{type(callback).__name__} counts steps, but an epoch is one compiled program; "
                "give save_freq='epoch'"
            )
    optimizer = optimizers.stock(hp, 2)
    expected = optimizer.get_config()
    given = model.optimizer.get_config() if model.optimizer is not None else {}
    own = [
        name for name in {**expected, **given}
        if name not in ("name", "learning_rate") and expected.get(name) != given.get(name)
    ]  # fmt: skip
    loss = loss_and_accuracy(signature, "sum_over_batch_size", hp.label_smoothing)[0]
    if own or type(model.optimizer) is not type(optimizer):
        raise RefusedError(
            "the model has an optimizer of its own, but this study trains with "
            f"{type(optimizer).__name__} and its own settings: give them to the study as "
            "optimizer, momentum, weight_decay and clip_norm"
        )
    if type(model.loss) is not type(loss):
        raise RefusedError(
            "the model has a loss of its own, but a study's follows from its dataset"
        )


class Follower:
    """Runs callbacks beside a training, with a stock `model` that they see and may change.

    `begin` must be called first, `on_start` and `on_epoch` by the training, `end` last. `epochs`
    are those that callbacks are told, from 0 as in Keras. Where the study has a `schedule` of the
    learning rate, a callback that sets the rate is refused.
    """

    def __init__(
        self,
        callbacks: Sequence[Any],
        model: keras.Model,
        trainer: Callable[[], Trainer],
        epochs: range,
        schedule: str = "constant",
    ) -> None:
        self.history = keras.callbacks.History()
        self._list = keras.callbacks.CallbackList(
            [*callbacks, self.history], model=model, epochs=epochs.stop, verbose=0
        )
        self._model, self._trainer, self._schedule = model, trainer, schedule
        self._scheduled = _configured_rate(model)
        self._next, self._last = epochs.start, epochs.stop
        model.stop_training = False

    def begin(self) -> list[NDArray[Any]] | None:
        """The weights of the model, if a callback has changed them before the first epoch."""
        before = self._model.get_weights()
        self._list.on_train_begin()
        if self._next < self._last:
            self._list.on_epoch_begin(self._next)
        after = self._model.get_weights()
        return None if _equal(before, after) else after

    def on_start(self) -> None:
        self._set_rate()

    def on_epoch(self, epoch: Epoch) -> bool:
        """Whether the training continues."""
        trainer = self._trainer()
        weights = trainer.weights()
        self._model.set_weights(weights)
        names = ("loss", "accuracy", "val_loss", "val_accuracy")
        self._list.on_epoch_end(self._next, {name: getattr(epoch, name) for name in names})
        self._next += 1
        if self._model.stop_training:
            return False
        if self._next < self._last:
            self._list.on_epoch_begin(self._next)
            self._set_rate()
            if not _equal(weights, changed := self._model.get_weights()):
                trainer.set_weights(changed)
        return not self._model.stop_training

    def _set_rate(self) -> None:
        """What a callback set acts; a schedule goes on by itself."""
        if self._schedule == "constant":
            self._trainer().set_learning_rate(_rate(self._model))
        elif _configured_rate(self._model) != self._scheduled:
            raise RefusedError(
                f"a callback has set the learning rate, but the study has schedule "
                f"{self._schedule}; leave out the callback, or the schedule"
            )

    def end(self) -> None:
        self._list.on_train_end()


def _rate(model: keras.Model) -> float:
    rate = _configured_rate(model)
    if not is_number(rate):
        raise RefusedError(
            "a callback has set the learning rate to a schedule of steps, but an epoch is one "
            "compiled program; set a number in on_epoch_begin"
        )
    return float(rate)


def _configured_rate(model: keras.Model) -> Any:
    return model.optimizer.get_config()["learning_rate"]


def _equal(one: list[NDArray[Any]], other: list[NDArray[Any]]) -> bool:
    return all(map(np.array_equal, one, other))
