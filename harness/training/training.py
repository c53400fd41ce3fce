"""One training: what it needs, what it has had so far, and how it goes from epoch to epoch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Dataset, Examples, Split
from harness.datasets.base.signature import BINARY, Signature
from harness.datasets.base.vectors import Vectors, lookup
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.checkpoint import Checkpoints, TrainingPaused
from harness.training.epochs import Epochs, Measured, order_of
from harness.training.optimizers import plateau_rate


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One finished epoch, counted from 1.

    `accuracy` is the share of examples that are right. Where each step has a class, it is the
    share of steps; for numbers it is R², the share of their variance that is explained,
    and for a forecast its mean absolute error in the unit. `loss` and
    `accuracy` are running means over the training split during the epoch, as Keras's `fit` logs
    them. Seconds are wall time. `compile_s` (building, tracing, compiling) is not part of the
    other two times; it is 0.0 where a compiled program was used again.
    """

    epoch: int
    loss: float
    accuracy: float
    val_loss: float
    val_accuracy: float
    train_s: float
    validation_s: float
    compile_s: float
    step_ms: float


@dataclass(frozen=True, kw_only=True)
class Data:
    """The splits to learn from and to validate on, and vectors to start the embedding from."""

    train: Examples
    validation: Examples
    signature: Signature = BINARY
    vectors: Vectors | None = None

    @classmethod
    def of(cls, dataset: Dataset, hp: Hyperparameters, signature: Signature | None = None) -> Self:
        """The splits of a prepared dataset, encoded for `hp`; by default with its own signature."""
        return cls(
            train=load(dataset, "train", hp),
            validation=load(dataset, "validation", hp),
            signature=signature or dataset.signature,
            vectors=lookup(hp.pretrained, dataset.words(hp.vocabulary)) if hp.pretrained else None,
        )


def load(dataset: Dataset, split: Split, hp: Hyperparameters) -> Examples:
    """A split, encoded for `hp`. The last few stay in memory, since later trainings use them."""
    return _encoded(dataset, split, hp.sequence_length, hp.vocabulary)


@lru_cache(maxsize=8)
def _encoded(dataset: Dataset, split: Split, sequence_length: int, vocabulary: int) -> Examples:
    return dataset.load(split, sequence_length=sequence_length, vocabulary=vocabulary)


@dataclass(frozen=True, kw_only=True)
class Training:
    """A finished training: its epochs, the number of trainable weights, and its path."""

    epochs: tuple[Epoch, ...]
    parameters: int
    path: str


@dataclass(frozen=True, kw_only=True)
class TrainOptions:
    """Where a training starts, and how it ends.

    It trains for at most `epochs` epochs, from the weights `initial`, or from those of the seed
    where `initial` is None. With `keep_best` the model ends with the weights of its best epoch,
    the one of lowest validation loss.
    """

    seed: int
    epochs: int
    keep_best: bool = False
    initial: list[NDArray[Any]] | None = None


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Functions that a training calls while it runs.

    `on_start(parameters, path)` is called once the model is built, `on_progress(epoch, step,
    steps, running loss)` every few seconds, `on_epoch` after each epoch. If `on_epoch` returns
    False, the training ends (pruned).
    """

    on_start: Callable[[int, str], None] = lambda parameters, path: None
    on_progress: Callable[[int, int, int, float], None] = lambda epoch, step, steps, loss: None
    on_epoch: Callable[[Epoch], bool] = lambda epoch: True


@dataclass(frozen=True, kw_only=True)
class Companion:
    """What a companion trains, and where it keeps its checkpoints."""

    hp: Hyperparameters
    options: TrainOptions
    checkpoints: Checkpoints


@dataclass(frozen=True, kw_only=True)
class Companions:
    """The group of a training: it is number `own` of `members`, each of which has a place.

    `others` are those that have not ended. `goes_on` says after an epoch whether a companion is
    trained further; it must decide as the one who will ask for it.
    """

    members: int
    own: int
    others: Mapping[int, Companion]
    goes_on: Callable[[Sequence[Epoch]], bool]


@dataclass
class State:
    """How far a training is: its finished epochs, and the epoch that it is in."""

    compile_s: float  # counted in the next epoch
    history: list[Epoch] = field(default_factory=list)
    step: int = 0  # steps already done in the next epoch
    seconds: float = 0.0  # that these steps took
    best: list[NDArray[Any]] = field(default_factory=list)  # weights of the best epoch, if kept


@dataclass(frozen=True)
class OneTraining:
    """One training on a compiled program, whose variables are those of the training."""

    program: Epochs
    hp: Hyperparameters
    data: Data
    options: TrainOptions
    callbacks: Callbacks
    checkpoints: Checkpoints | None
    state: State

    def start(self) -> None:
        """Set the program to the start of the training."""
        self.program.reset(self.hp, self.options.seed, self.options.epochs * self.steps)
        if self.data.vectors is not None:
            networks.start_embedding(self.program.model, self.data.vectors)
        if self.options.initial is not None:
            self.program.model.set_weights(self.options.initial)

    def complete(self) -> None:
        """Continue from the last checkpoint, if there is one, and train the remaining epochs."""
        self.restore()
        if self.replay():
            while len(self.state.history) < self.options.epochs:
                if not self.callbacks.on_epoch(self._epoch()):
                    break
        self.end()

    def replay(self) -> bool:
        """Call `on_epoch` for the epochs of the checkpoint; returns whether the training goes on.

        Later epochs than the one after which it ends are forgotten.
        """
        history = self.state.history
        for number, epoch in enumerate(history, start=1):
            if not self.callbacks.on_epoch(epoch):
                del history[number:]
                return False
        return True

    def end(self) -> None:
        """Leave the weights of the best epoch in the program, where they are kept."""
        if self.state.best:
            self.program.model.set_weights(self.state.best)

    @property
    def number(self) -> int:
        """The epoch that it is in, from 1."""
        return len(self.state.history) + 1

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return -(-len(self.data.train) // self.hp.batch_size)

    @property
    def learning_rate(self) -> float:
        """The (base) rate of the epoch that it is in."""
        if self.hp.schedule != "plateau":
            return self.hp.learning_rate
        losses = [epoch.val_loss for epoch in self.state.history]
        return plateau_rate(self.hp.learning_rate, losses)

    @property
    def order(self) -> NDArray[np.int64]:
        """In which the epoch visits its examples."""
        return order_of(self.hp, self.options.seed, self.number, len(self.data.train))

    def _epoch(self) -> Epoch:
        """Train the next epoch, or what is left of it, and record it."""
        state, data = self.state, self.data

        def on_step(step: int, loss: float, seconds: float) -> None:
            self.callbacks.on_progress(self.number, step, self.steps, loss)
            if self.asked_to_pause:
                self.save(step, seconds)
                raise TrainingPaused

        if self.hp.schedule == "plateau":
            self.program.set_learning_rate(self.learning_rate)
        trained = self.program.train(
            data.train, self.order, on_step, done=state.step, seconds=state.seconds
        )
        return self.record(trained, self.program.evaluate(data.validation))

    def record(self, trained: Measured, validated: Measured) -> Epoch:
        """Add an epoch that has ended, and write a checkpoint."""
        state = self.state
        epoch = Epoch(
            epoch=self.number,
            loss=trained.loss,
            accuracy=trained.accuracy,
            val_loss=validated.loss,
            val_accuracy=validated.accuracy,
            train_s=trained.seconds,
            validation_s=validated.seconds,
            compile_s=state.compile_s,
            step_ms=trained.seconds / self.steps * 1000.0,
        )
        state.history.append(epoch)
        state.compile_s, state.step, state.seconds = 0.0, 0, 0.0
        if self.options.keep_best and epoch == min(state.history, key=lambda e: e.val_loss):
            state.best = self.program.model.get_weights()
        self.save(step=0, seconds=0.0)
        return epoch

    @property
    def asked_to_pause(self) -> bool:
        """Whether it is, and its program can continue within an epoch."""
        if self.checkpoints is None or not self.program.pausable:
            return False
        return self.checkpoints.asked_to_pause()

    def save(self, step: int, seconds: float) -> None:
        if self.checkpoints is not None:
            arrays = [keras.ops.convert_to_numpy(v) for v in self.program.variables()]
            history = [asdict(epoch) for epoch in self.state.history]
            self.checkpoints.save(history, arrays + self.state.best, step, seconds)

    def restore(self) -> None:
        """Set the program and the state to the last checkpoint, if there is one."""
        found = self.checkpoints.load() if self.checkpoints is not None else None
        if found is None or self.checkpoints is None:
            return
        variables = self.program.variables()
        if not found.fits(variables):  # written on another path, by another version
            self.checkpoints.restored = 0
            return
        arrays, self.state.best = found.arrays[: len(variables)], found.arrays[len(variables) :]
        for variable, array in zip(variables, arrays, strict=True):
            variable.assign(array)
        self.state.history = [Epoch(**epoch) for epoch in found.history]
        self.state.step, self.state.seconds = found.step, found.seconds
