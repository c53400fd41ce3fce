"""Keras's optimizers by name, and how the learning rate changes over the steps of a training."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from harness.spec.hyperparameters import Hyperparameters

CLASSES = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}
BY_STEP = ("cosine", "warmup_cosine")  # schedules that change the rate within an epoch
WARMUP = 0.1  # of all steps, rounded
# `plateau` is keras.callbacks.ReduceLROnPlateau with these; its own patience of 10 epochs is longer
# than most trainings here.
PLATEAU_FACTOR, PLATEAU_PATIENCE, PLATEAU_DELTA = 0.1, 1, 1e-4


class Optimizer:
    """An optimizer of Keras that a training can reset, whose rates are variables.

    So one compiled program serves all rates. Of everything it keeps, also the base rate and the
    place in the schedule, `variables` has it: a training that is resumed continues exactly. With
    `adjustable` the weight decay is a variable too. Keras could then not save the optimizer.
    """

    def __init__(self, hp: Hyperparameters, *, adjustable: bool = False) -> None:
        self._schedule = _Cosine() if hp.schedule in BY_STEP else None
        self._warmup = WARMUP if hp.schedule == "warmup_cosine" else 0.0
        self.keras = _make(hp, self._schedule or hp.learning_rate)
        if self._schedule is not None:
            self._schedule.bind(self.keras)
        self._decay: Any = None
        if adjustable and self.keras.weight_decay is not None:
            self._decay = self.keras.add_variable((), initializer="zeros", name="weight_decay")
            self.keras.weight_decay = self._decay

    @property
    def variables(self) -> list[Any]:
        """All of its state, once it is built."""
        return list(self.keras.variables)

    def reset(self, hp: Hyperparameters, steps: int) -> None:
        """Start from nothing, with the rates of `hp`.

        `steps` are those of the whole training, for the schedule.
        """
        for variable in self.keras.variables:  # all optimizers start from zeros
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
        if self._schedule is not None:
            self._schedule.set_steps(steps, warmup_steps(steps, self._warmup))
        if self._decay is not None:
            self._decay.assign(_make(hp, 0.0).weight_decay)
        self.set_rate(hp.learning_rate)

    def set_rate(self, rate: float) -> None:
        """Set the rate that the schedule starts from, or the rate itself where it is constant."""
        self.rate.assign(rate)

    @property
    def rate(self) -> Any:
        """The variable of the rate, or of the rate that the schedule starts from."""
        return self.keras.learning_rate if self._schedule is None else self._schedule.rate


class _Cosine(keras.optimizers.schedules.LearningRateSchedule):  # type: ignore[misc]
    """keras.optimizers.schedules.CosineDecay whose numbers are variables of the optimizer."""

    rate: Any

    def bind(self, optimizer: Any) -> None:
        """Make the variables: the highest rate, the steps of the rise and those of the decay."""
        self.rate, self._rise, self._decay = (
            optimizer.add_variable((), initializer="ones", name=name)
            for name in ("base_rate", "warmup_steps", "decay_steps")
        )

    def set_steps(self, steps: int, rise: int) -> None:
        self._rise.assign(float(rise))
        self._decay.assign(float(steps - rise))

    def __call__(self, step: Any) -> Any:
        rate, rise, decay = (
            keras.ops.convert_to_tensor(v) for v in (self.rate, self._rise, self._decay)
        )
        step = keras.ops.cast(step, rate.dtype)
        done = (keras.ops.minimum(step, rise + decay) - rise) / decay
        falling = rate * (0.5 * (1.0 + keras.ops.cos(math.pi * done)))
        rising = rate * (step / keras.ops.maximum(rise, 1.0))
        return keras.ops.where(step < rise, rising, falling)


def stock(hp: Hyperparameters, steps: int) -> Any:
    """The same optimizer as a user of Keras would make it, for a training of `steps` steps."""
    if hp.schedule not in BY_STEP:
        return _make(hp, hp.learning_rate)
    cosine = keras.optimizers.schedules.CosineDecay
    if hp.schedule == "cosine":
        return _make(hp, cosine(hp.learning_rate, steps))
    rise = warmup_steps(steps, WARMUP)
    return _make(hp, cosine(0.0, steps - rise, warmup_target=hp.learning_rate, warmup_steps=rise))


def warmup_steps(steps: int, share: float) -> int:
    """How many of a training's steps the rate rises; at least one is left to fall."""
    return min(round(share * steps), steps - 1)


def plateau_rate(rate: float, val_losses: Sequence[float]) -> float:
    """The rate of the next epoch: lowered after epochs whose validation loss was not lower."""
    best, waited = math.inf, 0
    for loss in val_losses:
        if loss < best - PLATEAU_DELTA:
            best, waited = loss, 0
            continue
        waited += 1
        if waited >= PLATEAU_PATIENCE:
            rate, waited = rate * PLATEAU_FACTOR, 0
    return rate


def _make(hp: Hyperparameters, rate: Any) -> Any:
    given: dict[str, Any] = {"global_clipnorm": hp.clip_norm}
    if hp.weight_decay is not None:  # else Keras's default, which AdamW alone has
        given["weight_decay"] = float(hp.weight_decay)
    if hp.momentum:
        given["momentum"] = float(hp.momentum)
    return getattr(keras.optimizers, CLASSES[hp.optimizer])(rate, **given)
