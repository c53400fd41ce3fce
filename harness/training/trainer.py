"""One training, epoch by epoch, on the fastest path that gives the numbers of stock Keras.

Only worker processes import this module, because it imports Keras. The seed, the hyperparameters
and the data decide every number. What the process trained before does not matter.
"""

import contextlib
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.dataset import Dataset, Examples, Split
from harness.datasets.base.signature import BINARY, Signature
from harness.datasets.base.vectors import Vectors, lookup
from harness.spec.choices import check_path
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.checkpoint import Checkpoints, TrainingPaused
from harness.training.device import placement, resolve
from harness.training.engines import build_program, prepare_compiler
from harness.training.epochs import Epochs, order_of
from harness.training.optimizers import plateau_rate
from harness.training.recurrent import PATHS, choose_path, paths_from

KEPT_PROGRAMS = 4  # for the last shapes: replicates, and trials of other rates, use them again


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


class Trainer:
    """Trains one model after another, and keeps the programs that it compiled last.

    `path` forces an execution path; None leaves it to `choose_path`. `notify` gets a line
    whenever a path fails and the next one is used.
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        device: str = "auto",
        notify: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
    ) -> None:
        self._backend = keras.backend.backend()
        if fault := prepare_compiler(self._backend):
            notify(f"compiled programs are not kept: {fault}")
        self.device = resolve(device, self._backend)
        if path is not None and path not in PATHS:
            raise UserError(f"path: {path!r} is not one of {', '.join(PATHS)}")
        check_path(path, self._backend)
        self._path = path
        self._notify = notify
        self._programs: OrderedDict[Any, Epochs] = OrderedDict()
        self._last: tuple[Epochs, Hyperparameters, Signature] | None = None

    def train(
        self,
        hp: Hyperparameters,
        data: Data,
        options: TrainOptions,
        callbacks: Callbacks,
        checkpoints: Checkpoints | None = None,
    ) -> Training:
        """Train a model of `hp` on `data`.

        A loss that is not finite is returned like any other.

        With `checkpoints` the state after each epoch is saved there before `on_epoch` is called.
        A training that finds its own checkpoint continues from it, bit for bit: `on_epoch`
        is called for the epochs before as they were recorded, then for the rest. If it is asked
        to pause, and its program can continue within an epoch, it saves its state and raises
        TrainingPaused.
        """
        with self._placement():
            program, path, compile_s = self._program(hp, data)
            steps = options.epochs * -(-len(data.train) // hp.batch_size)
            program.reset(hp, options.seed, steps)
            if data.vectors is not None:
                networks.start_embedding(program.model, data.vectors)
            if options.initial is not None:
                program.model.set_weights(options.initial)
            self._last = (program, hp, data.signature)
            parameters = int(sum(np.prod(w.shape) for w in program.model.trainable_weights))
            callbacks.on_start(parameters, path)
            run = _Run(program, hp, data, options, callbacks, checkpoints, _State(compile_s))
            run.complete()
        return Training(epochs=tuple(run.state.history), parameters=parameters, path=path)

    def evaluate(self, split: Examples) -> tuple[float, float]:
        """Loss and accuracy (or R²) of the last trained model on a split of any size."""
        with self._placement():
            measured = self._trained()[0].evaluate(split)
        return measured.loss, measured.accuracy

    def predict(self, split: Examples) -> NDArray[np.float32]:
        """The outputs of the last trained model: (n, outputs), or (n, steps, outputs)."""
        with self._placement():
            return self._trained()[0].predict(split)

    def weights(self) -> list[NDArray[np.float32]]:
        """The weights of the last trained model, in the order of the stock Keras model."""
        weights: list[NDArray[np.float32]] = self._trained()[0].model.get_weights()
        return weights

    def set_weights(self, weights: list[NDArray[Any]]) -> None:
        """Continue the training from other weights; for `on_start` and `on_epoch`."""
        with self._placement():
            self._trained()[0].model.set_weights(weights)

    def set_learning_rate(self, rate: float) -> None:
        """Continue the training with another learning rate; for `on_start` and `on_epoch`."""
        with self._placement():
            self._trained()[0].set_learning_rate(rate)

    def stock_model(self) -> keras.Model:
        """The last trained model, with stock Keras layers only."""
        program, hp, signature = self._trained()
        return networks.to_stock(program.model, hp, signature)

    def _trained(self) -> tuple[Epochs, Hyperparameters, Signature]:
        if self._last is None:
            raise RuntimeError("nothing was trained yet")
        return self._last

    def program(self, hp: Hyperparameters, data: Data) -> tuple[Epochs, str]:
        """The program that trains `hp` on splits of these sizes, and its path."""
        with self._placement():
            program, path, _ = self._program(hp, data)
        return program, path

    def _program(self, hp: Hyperparameters, data: Data) -> tuple[Epochs, str, float]:
        """A program for the shape, its path, and the seconds spent on compiling it."""
        first = self._path or choose_path(hp, device=self.device, backend=self._backend)
        if data.signature.builder is not None:
            first = PATHS[-1]
        paths = paths_from(first)
        for path, following in zip(paths, [*paths[1:], None], strict=True):
            key = _program_key(hp, data, path)
            if key in self._programs:
                self._programs.move_to_end(key)
                return self._programs[key], path, 0.0
            started = time.perf_counter()
            try:
                program = _compiled(hp, data, path)
            except Exception as error:
                if following is None:
                    raise
                self._notify(
                    f"path {path} failed ({type(error).__name__}: {_reason(error)}); "
                    f"training continues with path {following}"
                )
                continue
            self._programs[key] = program
            while len(self._programs) > KEPT_PROGRAMS:
                self._programs.popitem(last=False)
            return program, path, time.perf_counter() - started
        raise AssertionError("the last path either compiled or raised")

    def _placement(self) -> contextlib.AbstractContextManager[Any]:
        return placement(self.device, self._backend)


@dataclass
class _State:
    """How far a training is: its finished epochs, and the epoch that it is in."""

    compile_s: float  # counted in the next epoch
    history: list[Epoch] = field(default_factory=list)
    step: int = 0  # steps already done in the next epoch
    seconds: float = 0.0  # that these steps took
    best: list[NDArray[Any]] = field(default_factory=list)  # weights of the best epoch, if kept


@dataclass(frozen=True)
class _Run:
    """One training on a compiled program."""

    program: Epochs
    hp: Hyperparameters
    data: Data
    options: TrainOptions
    callbacks: Callbacks
    checkpoints: Checkpoints | None
    state: _State

    def complete(self) -> None:
        """Continue from the last checkpoint, if there is one, and train the remaining epochs."""
        state = self.state
        self._restore()
        for number, epoch in enumerate(state.history, start=1):
            if not self.callbacks.on_epoch(epoch):
                del state.history[number:]
                break
        else:
            while len(state.history) < self.options.epochs:
                if not self.callbacks.on_epoch(self._epoch()):
                    break
        if state.best:
            self.program.model.set_weights(state.best)

    def _epoch(self) -> Epoch:
        """Train the next epoch, or what is left of it, and record it."""
        state, data = self.state, self.data
        number = len(state.history) + 1
        examples = len(data.train)
        steps = -(-examples // self.hp.batch_size)

        def on_step(step: int, loss: float, seconds: float) -> None:
            self.callbacks.on_progress(number, step, steps, loss)
            self._pause_if_asked(step, seconds)

        if self.hp.schedule == "plateau":
            losses = [epoch.val_loss for epoch in state.history]
            self.program.set_learning_rate(plateau_rate(self.hp.learning_rate, losses))
        order = order_of(self.hp, self.options.seed, number, examples)
        trained = self.program.train(
            data.train, order, on_step, done=state.step, seconds=state.seconds
        )
        validated = self.program.evaluate(data.validation)
        epoch = Epoch(
            epoch=number,
            loss=trained.loss,
            accuracy=trained.accuracy,
            val_loss=validated.loss,
            val_accuracy=validated.accuracy,
            train_s=trained.seconds,
            validation_s=validated.seconds,
            compile_s=state.compile_s,
            step_ms=trained.seconds / steps * 1000.0,
        )
        state.history.append(epoch)
        state.compile_s, state.step, state.seconds = 0.0, 0, 0.0
        if self.options.keep_best and epoch == min(state.history, key=lambda e: e.val_loss):
            state.best = self.program.model.get_weights()
        self._save(step=0, seconds=0.0)
        return epoch

    def _pause_if_asked(self, step: int, seconds: float) -> None:
        """After some steps of an epoch: save the state and raise TrainingPaused, if asked to."""
        if self.checkpoints and self.program.pausable and self.checkpoints.asked_to_pause():
            self._save(step, seconds)
            raise TrainingPaused

    def _save(self, step: int, seconds: float) -> None:
        if self.checkpoints is not None:
            arrays = [keras.ops.convert_to_numpy(v) for v in self.program.variables()]
            history = [asdict(epoch) for epoch in self.state.history]
            self.checkpoints.save(history, arrays + self.state.best, step, seconds)

    def _restore(self) -> None:
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


def _compiled(hp: Hyperparameters, data: Data, path: str) -> Epochs:
    program = build_program(hp, data.signature, path)
    program.compile(data.train, data.validation)
    return program


def _program_key(hp: Hyperparameters, data: Data, path: str) -> tuple[Any, ...]:
    """Equal for trainings that can share a compiled program: their rates and seeds may differ."""
    return (
        path,
        networks.compiled_shape(hp, path),
        data.signature,
        data.train.shape,
        data.validation.shape,
    )


def _reason(error: Exception) -> str:
    """The line of an error's text that says what happened: Keras adds lines around it."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [
        line for line in lines if not line.startswith(("Exception encountered", "in user code"))
    ]
    return (telling or lines or ["no reason given"])[0][:200]
