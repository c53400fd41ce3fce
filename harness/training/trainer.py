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
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.dataset import Examples
from harness.datasets.base.signature import Signature
from harness.spec.choices import check_path
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.checkpoint import Checkpoints
from harness.training.device import placement, resolve
from harness.training.engines import build_program, prepare_compiler
from harness.training.epochs import Epochs
from harness.training.recurrent import PATHS, choose_path, paths_from
from harness.training.same_program import compiled_shape, why_alone
from harness.training.training import (
    Callbacks,
    Companions,
    Data,
    Epoch,
    OneTraining,
    State,
    Training,
    TrainOptions,
    load,
)

__all__ = ["Callbacks", "Data", "Epoch", "TrainOptions", "Trainer", "Training", "load"]

KEPT_PROGRAMS = 4  # for the last shapes: replicates, and trials of other rates, use them again


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
        # The last group, of a program and a number of members.
        self._group: tuple[Any, int, Any] | None = None

    def train(
        self,
        hp: Hyperparameters,
        data: Data,
        options: TrainOptions,
        callbacks: Callbacks,
        checkpoints: Checkpoints | None = None,
        companions: Companions | None = None,
    ) -> Training:
        """Train a model of `hp` on `data`.

        A loss that is not finite is returned like any other.

        With `checkpoints` the state after each epoch is saved there before `on_epoch` is called.
        A training that finds its own checkpoint continues from it, bit for bit: `on_epoch`
        is called for the epochs before as they were recorded, then for the rest. If it is asked
        to pause, and its program can continue within an epoch, it saves its state and raises
        TrainingPaused. With `companions` others are trained along, where they can be, and write
        checkpoints as well.
        """
        with self._placement():
            program, path, compile_s = self._program(hp, data)
            state = State(compile_s)
            training = OneTraining(program, hp, data, options, callbacks, checkpoints, state)
            training.start()
            self._last = (program, hp, data.signature)
            parameters = int(sum(np.prod(w.shape) for w in program.model.trainable_weights))
            callbacks.on_start(parameters, path)
            if companions is None or not self._complete_beside(training, companions, path):
                training.complete()
        return Training(epochs=tuple(state.history), parameters=parameters, path=path)

    def _complete_beside(self, training: OneTraining, companions: Companions, path: str) -> bool:
        """Complete a training and train others along; returns False where they can't be."""
        if self._backend != "jax":
            return False
        from harness.training.companions import complete
        from harness.training.jax_epochs import JaxEpochs
        from harness.training.side_by_side import SideBySide

        others = companions.others.values()
        hps = [training.hp, *(other.hp for other in others)]
        if reason := why_alone(hps, training.data.signature, path):
            self._notify(f"trained alone ({reason})")
            return False
        program, data, members = training.program, training.data, companions.members
        assert isinstance(program, JaxEpochs)
        if self._group is None or self._group[:2] != (program, members):
            group = SideBySide(program, data.train, data.validation, members=members, fixed=True)
            self._group = program, members, group
        trainings = {
            number: replace(
                training,
                hp=other.hp,
                options=other.options,
                callbacks=Callbacks(),
                checkpoints=other.checkpoints,
                state=State(0.0),
            )
            for number, other in companions.others.items()
        }
        complete(self._group[2], {**trainings, companions.own: training}, companions)
        return True

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


def _compiled(hp: Hyperparameters, data: Data, path: str) -> Epochs:
    program = build_program(hp, data.signature, path)
    program.compile(data.train, data.validation)
    return program


def _program_key(hp: Hyperparameters, data: Data, path: str) -> tuple[Any, ...]:
    """Equal for trainings that can share a compiled program: their rates and seeds may differ."""
    return (
        path,
        compiled_shape(hp, path),
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
