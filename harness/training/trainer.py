"""One training, epoch by epoch, the fastest way that gives stock Keras's numbers.

Only worker processes import it: it imports Keras. The seed, the hyperparameters and the data
decide every number; what the process trained before does not.
"""

import contextlib
import re
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.dataset import Arrays, Dataset, Split
from harness.datasets.base.signature import BINARY, Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.checkpoint import Checkpoints, TrainingPaused
from harness.training.compiled_epochs import CompiledEpochs
from harness.training.epochs import Epochs
from harness.training.keras_epochs import FitEpochs
from harness.training.recurrent import PATHS, choose_path, paths_from, set_xla_flags

KEPT_PROGRAMS = 4  # the shapes trained last; replicates and rate-only trials come back to one


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One finished epoch, counted from 1.

    `accuracy` is the share that is right: of examples, or of steps where each has a class; of
    numbers it is R², the share of their variance that is explained. `loss` and `accuracy` are
    running, over the training split while it was learnt from, as Keras's `fit` logs them. Seconds
    are wall time; `compile_s` (building, tracing, compiling) is in neither of the other two and
    0.0 where a compiled program was used again.
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
    """What a training learns from and is judged by."""

    train: Arrays
    validation: Arrays
    signature: Signature = BINARY

    @classmethod
    def of(cls, dataset: Dataset, hp: Hyperparameters, signature: Signature | None = None) -> Self:
        """A prepared dataset's splits as `hp` encodes them; the signature is the dataset's own."""
        return cls(
            train=load(dataset, "train", hp),
            validation=load(dataset, "validation", hp),
            signature=signature or dataset.signature,
        )


def load(dataset: Dataset, split: Split, hp: Hyperparameters) -> Arrays:
    """A split as `hp` encodes it; the last few are kept, for trainings that return to them."""
    return _encoded(dataset, split, hp.sequence_length, hp.vocabulary)


@lru_cache(maxsize=8)
def _encoded(dataset: Dataset, split: Split, sequence_length: int, vocabulary: int) -> Arrays:
    return dataset.load(split, sequence_length=sequence_length, vocabulary=vocabulary)


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a training came to: its epochs, trainable weights, and the path that ran it."""

    epochs: tuple[Epoch, ...]
    parameters: int
    path: str


class Trainer:
    """Trains one model after another, and keeps the programs it compiled for shapes that return.

    `path` forces an execution path; None leaves it to `choose_path`. `say` gets a line whenever
    a path fails and the next is used.
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        device: str = "auto",
        notify: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
    ) -> None:
        self._backend = keras.backend.backend()
        if self._backend == "tensorflow":
            set_xla_flags()
        self.device = _resolve(device, self._backend)
        if path is not None and path not in PATHS:
            raise UserError(f"path: {path!r} is not one of {', '.join(PATHS)}")
        self._path = path
        self._notify = notify
        self._programs: OrderedDict[Any, Epochs] = OrderedDict()
        self._last: tuple[Epochs, Hyperparameters, Signature] | None = None

    def train(
        self,
        hp: Hyperparameters,
        data: Data,
        *,
        seed: int,
        epochs: int,
        on_start: Callable[[int, str], None],
        on_progress: Callable[[int, int, int, float], None],
        on_epoch: Callable[[Epoch], bool],
        checkpoints: Checkpoints | None = None,
        keep_best: bool = False,
        initial: list[NDArray[Any]] | None = None,
    ) -> Training:
        """Train for at most `epochs` epochs, from weights `initial` or else those of the seed.

        With `keep_best` the model ends as its best epoch left it, the one of lowest validation
        loss.

        `on_start(parameters, path)` is called once the model is built, `on_progress(epoch, step,
        steps, running loss)` every few seconds, `on_epoch` after each epoch: False ends the
        training (pruned). A loss that is not finite is returned like any other.

        With `checkpoints` the state after each epoch is kept there before `on_epoch` hears of
        it. A training that finds its own goes on from it, bit for bit: `on_epoch` is called for
        the epochs before as they were recorded, then for the rest. Asked to pause, it keeps its
        state within the epoch, where its program can go on from there, and raises TrainingPaused.
        """
        with self._placement():
            program, path, compile_s = self._program(hp, data)
            program.reset(hp, seed)
            if initial is not None:
                program.model.set_weights(initial)
            self._last = (program, hp, data.signature)
            parameters = int(sum(np.prod(w.shape) for w in program.model.trainable_weights))
            on_start(parameters, path)
            finished: list[Epoch] = []
            past, done, seconds, best = _restore(program, checkpoints)
            for epoch in past:
                finished.append(epoch)
                if not on_epoch(epoch):
                    break
            else:
                for number in range(len(finished) + 1, epochs + 1):
                    keep = _keeper(program, checkpoints, finished, best)
                    epoch = _epoch(
                        program, hp, data, seed, number, compile_s, on_progress, keep, done, seconds
                    )
                    finished.append(epoch)
                    compile_s, done, seconds = 0.0, 0, 0.0
                    if keep_best and epoch == min(finished, key=lambda e: e.val_loss):
                        best = program.model.get_weights()
                    if checkpoints is not None:
                        checkpoints.save([asdict(e) for e in finished], _state(program) + best)
                    if not on_epoch(epoch):
                        break
            if best:
                program.model.set_weights(best)
        return Training(epochs=tuple(finished), parameters=parameters, path=path)

    def evaluate(self, split: Arrays) -> tuple[float, float]:
        """Loss and accuracy (or R²) of the model trained last on a split of any size."""
        with self._placement():
            measured = self._trained()[0].evaluate(split)
        return measured.loss, measured.accuracy

    def predict(self, split: Arrays) -> NDArray[np.float32]:
        """The outputs of the model trained last for each example, as its signature has them."""
        with self._placement():
            return self._trained()[0].predict(split)

    def weights(self) -> list[NDArray[np.float32]]:
        """The weights of the model trained last, in the order of the stock Keras model."""
        weights: list[NDArray[np.float32]] = self._trained()[0].model.get_weights()
        return weights

    def stock_model(self) -> keras.Model:
        """The model trained last, of stock Keras layers only."""
        program, hp, signature = self._trained()
        return networks.to_stock(program.model, hp, signature)

    def _trained(self) -> tuple[Epochs, Hyperparameters, Signature]:
        if self._last is None:
            raise RuntimeError("nothing was trained yet")
        return self._last

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
                    f"training goes on with path {following}"
                )
                continue
            self._programs[key] = program
            while len(self._programs) > KEPT_PROGRAMS:
                self._programs.popitem(last=False)
            return program, path, time.perf_counter() - started
        raise AssertionError("the last path either compiled or raised")

    def _placement(self) -> contextlib.AbstractContextManager[Any]:
        if self._backend != "tensorflow" or self.device != "cpu":
            return contextlib.nullcontext()
        import tensorflow as tf

        placement: contextlib.AbstractContextManager[Any] = tf.device("/CPU:0")
        return placement


def _restore(
    program: Epochs, checkpoints: Checkpoints | None
) -> tuple[list[Epoch], int, float, list[NDArray[Any]]]:
    """Put the program where the last checkpoint was taken.

    Returns the epochs up to there, the steps done of the next one with their seconds, and the
    best epoch's weights, if they are kept.
    """
    found = checkpoints.load() if checkpoints is not None else None
    if found is None:
        return [], 0, 0.0, []
    variables = program.variables()
    state, best = found.arrays[: len(variables)], found.arrays[len(variables) :]
    for variable, array in zip(variables, state, strict=True):
        variable.assign(array)
    return [Epoch(**epoch) for epoch in found.history], found.step, found.seconds, best


def _keeper(
    program: Epochs,
    checkpoints: Checkpoints | None,
    finished: list[Epoch],
    best: list[NDArray[Any]],
) -> Callable[[int, float], None]:
    """What to do after some steps of an epoch: keep the state and stop, if asked to pause."""

    def keep(done: int, seconds: float) -> None:
        if checkpoints is not None and program.pausable and checkpoints.asked_to_pause():
            history = [asdict(e) for e in finished]
            checkpoints.save(history, _state(program) + best, done, seconds)
            raise TrainingPaused

    return keep


def _state(program: Epochs) -> list[NDArray[Any]]:
    return [keras.ops.convert_to_numpy(variable) for variable in program.variables()]


def epoch_order(seed: int, epoch: int, examples: int) -> NDArray[np.int64]:
    """The order in which an epoch visits its examples: a function of seed and epoch alone."""
    return np.random.default_rng((seed, epoch)).permutation(examples)


def _epoch(
    program: Epochs,
    hp: Hyperparameters,
    data: Data,
    seed: int,
    number: int,
    compile_s: float,
    on_progress: Callable[[int, int, int, float], None],
    keep: Callable[[int, float], None],
    done: int,
    seconds: float,
) -> Epoch:
    examples = len(data.train.x)
    steps = -(-examples // hp.batch_size)

    def on_step(step: int, loss: float, seconds: float) -> None:
        on_progress(number, step, steps, loss)
        keep(step, seconds)

    order = epoch_order(seed, number, examples)
    trained = program.train(data.train, order, on_step, done=done, seconds=seconds)
    validated = program.evaluate(data.validation)
    return Epoch(
        epoch=number,
        loss=trained.loss,
        accuracy=trained.accuracy,
        val_loss=validated.loss,
        val_accuracy=validated.accuracy,
        train_s=trained.seconds,
        validation_s=validated.seconds,
        compile_s=compile_s,
        step_ms=trained.seconds / steps * 1000.0,
    )


def build_program(hp: Hyperparameters, signature: Signature, path: str) -> Epochs:
    """What trains on a path: the model is built, nothing is compiled yet."""
    return FitEpochs(hp, signature) if path == "keras" else CompiledEpochs(hp, signature, path)


def _compiled(hp: Hyperparameters, data: Data, path: str) -> Epochs:
    program = build_program(hp, data.signature, path)
    program.compile(data.train, data.validation)
    return program


def _program_key(hp: Hyperparameters, data: Data, path: str) -> tuple[Any, ...]:
    """Equal for trainings that one compiled program serves: rates and seeds may differ."""
    # Stock Dropout has its rate compiled in; RateDropout only whether there is any.
    dropout = hp.dropout if path == "keras" else hp.dropout > 0.0
    return (
        path,
        hp.cell,
        hp.units_per_layer,
        hp.bidirectional,
        hp.embedding_dim,
        hp.vocabulary,
        hp.sequence_length,
        hp.batch_size,
        dropout,
        hp.own,
        data.signature,
        len(data.train.x),
        len(data.validation.x),
    )


def _reason(error: Exception) -> str:
    """The line of an error's text that says what happened; Keras wraps it in lines of its own."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [
        line for line in lines if not line.startswith(("Exception encountered", "in user code"))
    ]
    return (told or lines or ["no reason given"])[0][:200]


def _resolve(device: str, backend: str) -> str:
    """`auto` → `gpu` where TensorFlow sees one, else `cpu`; raises UserError."""
    if device not in ("auto", "cpu", "gpu"):
        raise UserError(f"device: {device!r} is not one of auto, cpu, gpu")
    if backend != "tensorflow":
        return "cpu" if device == "auto" else device
    import tensorflow as tf

    found = bool(tf.config.list_physical_devices("GPU"))
    if device == "gpu" and not found:
        raise UserError("device: TensorFlow sees no GPU; install tensorflow[and-cuda] or use cpu")
    return "gpu" if found and device != "cpu" else "cpu"
