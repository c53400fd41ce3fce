"""What `training_speed.py` times: the same training by several libraries, each in its own process.

A contender's process gets a shape as JSON on a line of stdin, then a line for each epoch that it is
to train, and answers each with a line of JSON. All networks of Keras start from the same weights,
which NumPy draws, and see the same batches: they end with the same loss.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

VOCABULARY, EMBEDDING = 10_000, 32
KERNEL_UNITS = 16  # more make one kernel a loop several times slower, and it has no use on a GPU
SEED = 1


@dataclass(frozen=True)
class Shape:
    """A model, a batch, and how many steps one measured epoch has.

    `goal` is how many times faster than stock `fit` the harness is to be. Shapes without one are
    measured on the harness's own paths alone.
    """

    name: str
    cell: str
    depth: int
    units: int
    batch_size: int
    sequence_length: int
    steps: int
    goal: float | None = None


Epochs = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class Contender:
    """A way to train: `stock` names the contender whose numbers it is to have, if there is one."""

    backend: str
    train: "Callable[[Shape, Contender], Epochs]"
    path: str | None = None  # of the harness; None: its own choice
    stock: str | None = None
    jit_compile: bool | str = "auto"

    def takes(self, shape: Shape, device: str) -> bool:
        """Whether it is measured on this shape."""
        if self.path == "xla-kernel" and (shape.units > KERNEL_UNITS or device == "gpu"):
            return False
        if self.path == "keras" and device == "cpu":
            return False  # `fit` alone tells enough
        return shape.goal is not None or self.train is with_harness

    @property
    def recorded(self) -> bool:
        """Whether its times are those of a training of the harness on some path."""
        return self.of_keras and self.jit_compile == "auto"

    @property
    def of_keras(self) -> bool:
        """Whether it starts from the same weights as the others."""
        return self.train is not with_torch


def serve(contender: Contender) -> None:
    """Inside a contender's process: import, then an epoch for each line on stdin."""
    prepare(contender)
    answer({"ready": True})
    epochs: Epochs = iter(())
    for line in sys.stdin:
        asked = json.loads(line)
        if asked:
            epochs = contender.train(Shape(**asked), contender)
        else:
            answer(next(epochs))


def answer(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


def prepare(contender: Contender) -> None:
    """Import what the contender needs, with one thread, and find its device."""
    if contender.backend == "tensorflow":
        single_threaded_tensorflow()
    if contender.backend == "torch":
        import torch

        torch.set_num_threads(1)
    if contender.backend == "jax":
        import jax

        jax.devices()
    if contender.train is with_harness:
        from harness.training import engines
        from harness.training.recurrent import set_xla_flags

        assert engines
        set_xla_flags()
    elif contender.train is with_keras:
        import keras

        assert keras.backend.backend() == contender.backend


class Watch:
    """Wall and processor seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def seconds(self) -> dict[str, float]:
        return {
            "wall_s": time.perf_counter() - self._wall,
            "cpu_s": time.process_time() - self._cpu,
        }


def data(shape: Shape) -> tuple[Any, Any]:
    """Random words and classes; time does not depend on them."""
    random = np.random.default_rng(SEED)
    examples = shape.steps * shape.batch_size
    x = random.integers(1, VOCABULARY, (examples, shape.sequence_length), dtype=np.int32)
    return x, random.integers(0, 2, examples, dtype=np.int32)


def order(epoch: int, examples: int) -> Any:
    """The order of an epoch's examples, the same for every contender."""
    return np.random.default_rng((SEED, epoch)).permutation(examples)


def start(model: Any) -> None:
    """Give a model of Keras the weights that every contender starts from."""
    random = np.random.default_rng(SEED)
    model.set_weights(
        [
            random.normal(0.0, 0.5 / w.shape[0] ** 0.5, w.shape).astype(np.float32)
            for w in model.get_weights()
        ]
    )


def with_harness(shape: Shape, contender: Contender) -> Epochs:
    from harness.datasets.base.dataset import Arrays
    from harness.datasets.base.signature import BINARY
    from harness.spec.hyperparameters import Hyperparameters
    from harness.training.device import placement
    from harness.training.engines import build_program
    from harness.training.recurrent import choose_path

    device = os.environ["SPEED_DEVICE"]
    x, y = data(shape)
    batches = max(1, shape.steps // 4)
    train, validation = (Arrays(x[:n], y[:n]) for n in (len(x), batches * shape.batch_size))
    given = asdict(shape)
    hp = Hyperparameters(**{name: given[name] for name in given if name not in OF_SHAPE_ALONE})
    path = contender.path or choose_path(hp, device=device, backend=contender.backend)
    with placement(device, contender.backend):
        since = Watch()
        program = build_program(hp, BINARY, path)
        program.compile(train, validation)
        program.reset(hp, SEED)
        start(program.model)
        about = {"path": path, "compile_s": program.build_s + program.compile_s}
        epoch = 0
        while True:
            epoch += 1
            measured = program.train(
                train, order(epoch, len(x)), lambda *progress: None, done=0, seconds=0.0
            )
            seconds = since.seconds()
            tested = program.evaluate(validation)
            evaluation_ms = tested.seconds / batches * 1000.0
            yield {**about, **seconds, "loss": measured.loss, "evaluation_ms": evaluation_ms}
            since = Watch()


OF_SHAPE_ALONE = ("name", "steps", "goal")


def with_keras(shape: Shape, contender: Contender) -> Epochs:
    import keras

    class EndOfEpoch(keras.callbacks.Callback):  # type: ignore[misc]
        """When the last step was done: `fit` itself may sleep before it returns."""

        async_safe = True
        seconds: dict[str, float]

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = since.seconds()

    x, y = data(shape)
    since = Watch()
    name = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}[shape.cell]
    recurrent = getattr(keras.layers, name)
    model = keras.Sequential(
        [
            keras.Input((shape.sequence_length,), dtype="int32"),
            keras.layers.Embedding(VOCABULARY, EMBEDDING),
            *(
                recurrent(shape.units, return_sequences=layer < shape.depth)
                for layer in range(1, shape.depth + 1)
            ),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    start(model)
    model.compile(
        "adam", "binary_crossentropy", metrics=["accuracy"], jit_compile=contender.jit_compile
    )
    evaluation_ms = None
    batches = max(1, shape.steps // 4)
    epoch = 0
    while True:
        epoch += 1
        rows = order(epoch, len(x))
        end = EndOfEpoch()
        history = model.fit(
            x[rows], y[rows], shape.batch_size, shuffle=False, verbose=0, callbacks=[end]
        )
        if evaluation_ms is None:
            for _ in range(2):  # the first one compiles
                since = Watch()
                rows = rows[: batches * shape.batch_size]
                model.evaluate(x[rows], y[rows], shape.batch_size, verbose=0)
            evaluation_ms = since.seconds()["wall_s"] / batches * 1000.0
        loss = float(history.history["loss"][-1])
        yield {"path": "keras", **end.seconds, "loss": loss, "evaluation_ms": evaluation_ms}
        since = Watch()


def with_torch(shape: Shape, contender: Contender) -> Epochs:
    """PyTorch without Keras, from its own initial weights."""
    import torch
    from torch import nn

    torch.manual_seed(SEED)

    class Model(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            recurrent = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[shape.cell]
            self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
            self.recurrent = recurrent(EMBEDDING, shape.units, shape.depth, batch_first=True)
            self.head = nn.Linear(shape.units, 1)

        def forward(self, x: Any) -> Any:
            return self.head(self.recurrent(self.embedding(x))[0][:, -1])[:, 0]

    place = "cuda" if os.environ["SPEED_DEVICE"] == "gpu" else "cpu"
    model = Model().to(place)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    criterion = nn.BCEWithLogitsLoss()
    x, y = (torch.from_numpy(a).to(place) for a in data(shape))
    y = y.float()
    epoch = 0
    while True:
        epoch += 1
        rows = torch.from_numpy(order(epoch, len(x))).to(place)
        since = Watch()
        total = 0.0
        for batch in rows.split(shape.batch_size):
            optimizer.zero_grad()
            loss = criterion(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item()
        yield {"path": None, **since.seconds(), "loss": total / shape.steps, "evaluation_ms": None}


def single_threaded_tensorflow() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


TENSORFLOW_FIT = "tensorflow fit"
# The first word names the library, as in --python.
CONTENDERS: dict[str, Contender] = {
    "tensorflow harness": Contender("tensorflow", with_harness, stock=TENSORFLOW_FIT),
    TENSORFLOW_FIT: Contender("tensorflow", with_keras),
    "tensorflow fit, XLA": Contender(
        "tensorflow", with_keras, stock=TENSORFLOW_FIT, jit_compile=True
    ),
    "jax scan": Contender("jax", with_harness, "xla-scan", stock="jax fit"),
    "jax kernel": Contender("jax", with_harness, "xla-kernel", stock="jax fit"),
    "jax stock": Contender("jax", with_harness, "keras", stock="jax fit"),
    "jax fit": Contender("jax", with_keras),
    "torch fit": Contender("torch", with_keras),
    "torch alone": Contender("torch", with_torch),
}
EXTRA = ("tensorflow fit, XLA",)  # only with --all
