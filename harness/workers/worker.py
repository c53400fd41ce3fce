"""A worker process: imports the backend once, then trains or measures until its socket closes.

Started by harness.workers.local as `python -m harness.workers.worker FD SETTINGS`.
"""

import contextlib
import hashlib
import json
import math
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.core import spans
from harness.core.environment import versions
from harness.core.errors import UserError
from harness.core.files import replacing
from harness.core.metrics import BITS, EXACT, bits, of_answers, scored
from harness.datasets.base.dataset import Arrays, Split
from harness.datasets.base.forecast_scores import ForecastScores
from harness.datasets.base.predictions import Predictions, classes_of
from harness.datasets.base.windows import Windows
from harness.spec import study_files
from harness.training.checkpoint import Checkpoints, TrainingPaused
from harness.training.decoding import greedy
from harness.workers.messages import (
    Continue,
    EpochDone,
    Failed,
    Finished,
    Group,
    Measure,
    Measurement,
    Notice,
    Pause,
    Paused,
    Progress,
    Ready,
    Started,
    TestScores,
    TrainRequest,
    Unable,
    within_patience,
)


def main() -> None:
    connection: Connection[Any, Any] = Connection(int(sys.argv[1]))
    settings = json.loads(sys.argv[2])
    # The coordinator decides when to stop; workers ignore Ctrl-C in a terminal.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if settings["cpus"] and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, settings["cpus"])
    if settings["study_file"]:  # messages contain what it defines
        study_files.execute(Path(settings["study_file"]))
    inbox: queue.Queue[Any] = queue.Queue()
    pause = threading.Event()
    threading.Thread(target=_read, args=(connection, inbox, pause), daemon=True).start()

    def send(message: object) -> None:
        try:
            connection.send(message)
        except OSError:  # the coordinator has ended
            os._exit(1)

    work(settings, inbox, pause, send)


def work(
    settings: Mapping[str, Any],
    inbox: "queue.Queue[Any]",
    pause: threading.Event,
    send: Callable[[object], None],
) -> None:
    """Import the backend, then carry out the messages in `inbox`, without end."""
    began = time.perf_counter()
    from harness.training.trainer import Trainer

    import_s = time.perf_counter() - began
    try:
        trainer = Trainer(
            path=settings["path"],
            device=settings["device"],
            notify=lambda text: send(Notice(text)),
        )
    except UserError as error:  # such as a device that is not there
        send(Unable(str(error)))
        return
    send(Ready())
    while True:
        message = inbox.get()
        if isinstance(message, TrainRequest):
            train(message, trainer, send, inbox, pause)
        elif isinstance(message, Measure):
            measure(message, trainer, send, import_s)


def _read(
    connection: "Connection[Any, Any]", inbox: "queue.Queue[Any]", pause: threading.Event
) -> None:
    """Pass messages on; end the process as soon as the coordinator has ended."""
    try:
        while True:
            message = connection.recv()
            if isinstance(message, Pause):
                pause.set()
            else:
                inbox.put(message)
    except (EOFError, OSError):
        os._exit(1)


def train(
    order: TrainRequest,
    trainer: Any,
    send: Callable[[object], None],
    inbox: "queue.Queue[Any]",
    pause: threading.Event,
) -> None:
    """Carry out one training: after each epoch send EpochDone and wait for the answer."""
    from harness.training.trainer import Callbacks, Data

    task, hyperparameters = order.task, order.hyperparameters

    def checkpoints_of(request: TrainRequest) -> Checkpoints:
        folder, identity = Path(request.checkpoints), _identity(request)
        return Checkpoints(folder, identity, lambda text: send(Notice(text)), pause.is_set)

    checkpoints = checkpoints_of(order)

    def on_epoch(epoch: Any) -> bool:
        send(EpochDone(task, asdict(epoch), again=epoch.epoch <= checkpoints.restored))
        return isinstance(inbox.get(), Continue)

    try:
        trainer.train(
            hyperparameters,
            Data.of(order.dataset, hyperparameters, order.signature),
            _options(order),
            Callbacks(
                on_start=lambda parameters, path: send(Started(task, parameters, path)),
                on_progress=lambda epoch, step, steps, loss: send(
                    Progress(task, epoch, step, steps, loss)
                ),
                on_epoch=on_epoch,
            ),
            checkpoints,
            order.group and _companions(order.group, checkpoints_of),
        )
        if order.model is not None:
            with replacing(Path(order.model), ".keras") as temporary:  # Keras insists on it
                trainer.stock_model().save(temporary)
        test = _score(order, order.score, trainer) if order.score else None
    except TrainingPaused:
        send(Paused(task))
    except Exception as error:
        import traceback

        traceback.print_exc()  # the worker's log
        # What fails in a group is tried again, alone.
        reason = _reason(error)
        send(Failed(task, f"machine: in a group: {reason}" if order.group else reason))
    else:
        send(Finished(task, test))


def _options(order: TrainRequest) -> Any:
    from harness.training.trainer import TrainOptions

    return TrainOptions(seed=order.seed, epochs=order.epochs, keep_best=order.keep_best)


def _companions(group: Group, checkpoints_of: Callable[[TrainRequest], Checkpoints]) -> Any:
    """What the trainer needs to know of the others in a group."""
    from harness.training.training import Companion, Companions

    def goes_on(epochs: Sequence[Any]) -> bool:
        if not epochs:
            return True
        last, best = epochs[-1], min(epochs, key=lambda epoch: epoch.val_loss)
        finite = math.isfinite(last.loss) and math.isfinite(last.val_loss)
        return finite and within_patience(last.epoch, best.epoch, group.patience)

    others = {
        number: Companion(
            hp=request.hyperparameters,
            options=_options(request),
            checkpoints=checkpoints_of(request),
        )
        for number, request in group.others
    }
    return Companions(members=group.members, own=group.own, others=others, goes_on=goes_on)


def measure(order: Measure, trainer: Any, send: Callable[[object], None], import_s: float) -> None:
    """Carry out one measurement for the profiler."""
    from harness.workers import timing

    try:
        figures = timing.measure(order, trainer)
    except Exception as error:
        import traceback

        traceback.print_exc()  # the worker's log
        send(Failed(order.task, _reason(error)))
    else:
        send(Measurement(order.task, {"import_s": import_s, **figures}))


def _score(order: TrainRequest, name: Split, trainer: Any) -> TestScores:
    """The last trained model's scores on a split; the test split is used only here."""
    from harness.training.trainer import load

    split = load(order.dataset, name, order.hyperparameters)
    loss, _ = trainer.evaluate(split)
    outputs = trainer.predict(split)
    if isinstance(split, Windows):
        forecasts = ForecastScores.of(split, split.forecasts(outputs))
        return TestScores(loss, forecasts.scores, forecasts)
    if order.dataset.metric == BITS:
        return TestScores(loss, bits(outputs, split.y))
    if order.dataset.signature.decodes:
        fed_back = order.dataset.fed_back(order.hyperparameters.vocabulary)
        written = greedy(trainer.predict, split, fed_back)
        exact = scored(written, split.y, EXACT)
        return TestScores(loss, exact, measures=of_answers(written, split.y))
    predicted = classes_of(outputs)[0] if order.dataset.classes else outputs[..., 0]
    measures = {}
    if order.dataset.ragged:
        measures = spans.measures(order.dataset.labels, predicted.astype(int), split.y)
    scores = scored(predicted, split.y, order.dataset.metric)
    predictions = None if order.model is None else _predictions(order, split, outputs)
    return TestScores(loss, scores, predictions=predictions, measures=measures)


def _predictions(order: TrainRequest, split: Arrays, outputs: Any) -> Predictions:
    """What the model that is saved predicts, and what it read in its most certain mistakes."""
    found = Predictions.of(order.dataset, split, outputs)
    words: list[str] = []
    if not order.dataset.features:
        with contextlib.suppress(UserError):  # the ids of imdb-keras have words of another file
            words = order.dataset.words(order.hyperparameters.vocabulary)
    return found.with_inputs(split.x, words) if words else found


# How backends call trouble with a device, or memory that it does not have.
_DEVICE_ERRORS = ("InternalError", "UnknownError", "UnavailableError", "AbortedError",
                  "XlaRuntimeError", "JaxRuntimeError", "AcceleratorError")  # fmt: skip
_MEMORY_ERRORS = ("MemoryError", "ResourceExhaustedError", "OutOfMemoryError")


def _reason(error: Exception) -> str:
    """The kind of the error, then what was raised, on one line."""
    name, text = type(error).__name__, " ".join(str(error).split())[:500]
    if name in _MEMORY_ERRORS or "RESOURCE_EXHAUSTED" in text:
        kind = "out of memory"
    elif isinstance(error, OSError) or name in _DEVICE_ERRORS or "CUDA" in text:
        kind = "machine"
    else:
        kind = "exception"
    return f"{kind}: {name}: {text}"


def _identity(order: TrainRequest) -> str:
    """A hash of what decides a training's numbers; other trainings' checkpoints are not used."""
    parts = (
        order.dataset.to_mapping(),
        order.hyperparameters,
        order.seed,
        order.keep_best,
        [os.environ.get(name) for name in ("KERAS_BACKEND", "OMP_NUM_THREADS")],
        versions(),
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


if __name__ == "__main__":
    main()
