"""How fast a training is beside stock Keras, PyTorch and JAX, on one core.

    taskset -c 0 python tests/benchmarks/training_speed.py [--json] [--quick] [--shape NAME]

Every contender lives in a process of its own (one process has one Keras backend and one set of XLA
flags) on one core with one thread; epochs are taken in turn, so that a noisy moment hits all of
them. Contenders whose library is missing are named and left out; another Python may have it:
`--python torch=/path/to/python`. Each number stands beside the loss it came with: contenders that
start from the same weights and see the same batches end with the same loss. The harness and stock
`fit` of the same backend do, and the last column says how far apart they are.

Ratios are of processor time: what a step takes on a core of its own. Wall time stands beside it;
in Keras's `fit` it is longer, by up to a second an epoch that the process sleeps, and on a busy
machine everything is.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Shape:
    """A model, a batch, and how many steps one measured epoch has."""

    name: str
    cell: str
    depth: int
    units: int
    batch_size: int
    sequence_length: int
    steps: int
    goal: float  # times faster than stock fit


SHAPES = (
    Shape("LSTM, the seed's", "lstm", 2, 5, 32, 100, 100, 10.0),
    Shape("GRU, the seed's", "gru", 2, 5, 32, 100, 100, 10.0),
    Shape("SimpleRNN, the seed's", "rnn", 2, 5, 32, 100, 100, 6.0),
    Shape("LSTM 2×32", "lstm", 2, 32, 64, 200, 25, 2.5),
    Shape("LSTM 4×64", "lstm", 4, 64, 64, 200, 8, 1.5),
    Shape("LSTM 1×128", "lstm", 1, 128, 128, 100, 12, 1.5),
)
VOCABULARY, EMBEDDING = 10_000, 32
SEED = 1
GONE = (float("nan"),) * 3  # what a contender that died is taken to have measured
FIVE_EPOCHS = (5, 625)  # epochs, steps: 20,000 reviews in batches of 32

Epochs = Iterator[tuple[float, float, float]]  # wall and processor seconds, loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quick", action="store_true", help="two rounds of few steps")
    parser.add_argument("--shape", default="", help="only shapes whose name has this in it")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        serve(CONTENDERS[arguments.contender])
        return
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    result = compare(
        [shape for shape in SHAPES if arguments.shape in shape.name],
        arguments.quick,
        dict(entry.split("=") for entry in arguments.python),
    )
    print(json.dumps(result) if arguments.json else table(result))


def compare(shapes: list[Shape], quick: bool, pythons: dict[str, str]) -> dict[str, Any]:
    """Measure shapes with all contenders."""
    gflops = matmul_gflops()
    rounds = 2 if quick else 7
    rows = []
    for shape in shapes:
        steps = max(4, shape.steps // 5) if quick else shape.steps
        asked = {**asdict(shape), "steps": steps}
        limit_ms = flops_per_step(shape) / gflops / 1e6
        notify(f"{shape.name}: {rounds} rounds of {steps} steps")
        taken = measure(asked, rounds, pythons)
        for contender, found in taken.items():
            rows.append({"shape": shape.name, "goal": shape.goal, "limit_ms": limit_ms})
            rows[-1] |= {"contender": contender, **found, "loss_parity": None}
            if PARITY.get(contender) in taken:
                stock = taken[PARITY[contender]]["loss"]
                rows[-1]["loss_parity"] = abs(found["loss"] - stock) / abs(stock)
    totals = {} if quick or SHAPES[0] not in shapes else five_epochs(pythons)
    return {"matmul_gflops": gflops, "rows": rows, "five_epochs_s": totals}


def measure(asked: dict[str, Any], rounds: int, pythons: dict[str, str]) -> dict[str, Any]:
    """One shape: the first epoch of each contender, then rounds in turn."""
    processes = {name: Contender(name, asked, pythons) for name in CONTENDERS}
    found = {}
    try:
        first = {name: process.epoch() for name, process in processes.items()}
        taken: dict[str, list[tuple[float, float, float]]] = {n: [] for n, e in first.items() if e}
        for _ in range(rounds):
            for name, epochs in taken.items():
                epochs.append(processes[name].epoch() or GONE)
        for name, epochs in taken.items():
            wall_ms, cpu_ms = (
                [epoch[i] / asked["steps"] * 1000.0 for epoch in epochs] for i in (0, 1)
            )
            found[name] = {
                "first_epoch_s": (first[name] or GONE)[0],
                "step_ms": statistics.median(cpu_ms),
                "step_ms_min": min(cpu_ms),
                "step_ms_max": max(cpu_ms),
                "step_wall_ms": statistics.median(wall_ms),
                "loss": epochs[-1][2],
            }
    finally:
        for process in processes.values():
            process.close()
    return found


def five_epochs(pythons: dict[str, str]) -> dict[str, float]:
    """Seconds of a whole training of the seed's LSTM, compilation included, imports not."""
    epochs, steps = FIVE_EPOCHS
    totals = {}
    for name in ("harness", "keras fit"):
        notify(f"five epochs of 20,000 reviews: {name}")
        process = Contender(name, {**asdict(SHAPES[0]), "steps": steps}, pythons)
        totals[name] = sum((process.epoch() or GONE)[0] for _ in range(epochs))
        process.close()
    return totals


class Contender:
    """A process that trains an epoch whenever it is asked to; None when it cannot."""

    def __init__(self, name: str, asked: dict[str, Any], pythons: dict[str, str]) -> None:
        python = pythons.get(name.split()[0], sys.executable)
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
        environment["KERAS_BACKEND"] = "jax" if name.startswith("jax") else "tensorflow"
        environment.pop("XLA_FLAGS", None)
        self._name = name
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in close)
        self._process = subprocess.Popen(
            [python, __file__, "--contender", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
        )
        self._send(json.dumps(asked))

    def epoch(self) -> tuple[float, float, float] | None:
        self._send("go")
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._errors.seek(0)
            reason = (self._errors.read().splitlines() or ["it ended"])[-1]
            notify(
                f"  {self._name} is left out: {reason} (--python {self._name}=… has it elsewhere?)"
            )
            return None
        wall_s, cpu_s, loss = json.loads(line)
        return wall_s, cpu_s, loss

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def _send(self, line: str) -> None:
        try:
            assert self._process.stdin
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass


def serve(contender: Callable[[Shape], Epochs]) -> None:
    """Inside a contender's process: an epoch for each line on stdin."""
    shape = Shape(**json.loads(sys.stdin.readline()))
    epochs = contender(shape)
    for _ in sys.stdin:
        print(json.dumps(next(epochs)), flush=True)


class Watch:
    """Wall and processor seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def seconds(self) -> tuple[float, float]:
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def data(shape: Shape) -> tuple[Any, Any]:
    """Random words and classes; time does not depend on them."""
    random = np.random.default_rng(SEED)
    examples = shape.steps * shape.batch_size
    x = random.integers(1, VOCABULARY, (examples, shape.sequence_length), dtype=np.int32)
    return x, random.integers(0, 2, examples, dtype=np.int32)


def order(epoch: int, examples: int) -> Any:
    """The order of an epoch's examples, the same for every contender."""
    return np.random.default_rng((SEED, epoch)).permutation(examples)


def train_with_harness(shape: Shape) -> Epochs:
    backend = os.environ["KERAS_BACKEND"]
    if backend == "tensorflow":
        single_threaded_tensorflow()
    from harness.datasets.base.dataset import Arrays
    from harness.datasets.base.signature import BINARY
    from harness.spec.hyperparameters import Hyperparameters
    from harness.training.engines import build_program
    from harness.training.recurrent import choose_path, set_xla_flags

    set_xla_flags()
    x, y = data(shape)
    train, validation = Arrays(x, y), Arrays(x[: shape.batch_size], y[: shape.batch_size])
    hp = Hyperparameters(
        cell=shape.cell,
        depth=shape.depth,
        units=shape.units,
        batch_size=shape.batch_size,
        sequence_length=shape.sequence_length,
    )
    since = Watch()
    program = build_program(hp, BINARY, choose_path(hp, device="cpu", backend=backend))
    program.compile(train, validation)
    program.reset(hp, SEED)
    epoch = 0
    while True:
        epoch += 1
        measured = program.train(
            train, order(epoch, len(x)), lambda *progress: None, done=0, seconds=0.0
        )
        yield *since.seconds(), measured.loss
        since = Watch()


def train_with_keras(shape: Shape, jit_compile: bool | str = "auto") -> Epochs:
    if os.environ["KERAS_BACKEND"] == "tensorflow":
        single_threaded_tensorflow()
    import keras

    class EndOfEpoch(keras.callbacks.Callback):  # type: ignore[misc]
        """When the last step was done: `fit` itself may sleep before it returns."""

        async_safe = True
        seconds = (0.0, 0.0)

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.seconds = since.seconds()

    x, y = data(shape)
    since = Watch()
    keras.utils.set_random_seed(SEED)
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
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"], jit_compile=jit_compile)
    epoch = 0
    while True:
        epoch += 1
        rows = order(epoch, len(x))
        end = EndOfEpoch()
        history = model.fit(
            x[rows], y[rows], shape.batch_size, shuffle=False, verbose=0, callbacks=[end]
        )
        yield *end.seconds, float(history.history["loss"][-1])
        since = Watch()


def train_with_torch(shape: Shape) -> Epochs:
    import torch
    from torch import nn

    torch.set_num_threads(1)
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

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    criterion = nn.BCEWithLogitsLoss()
    x, y = (torch.from_numpy(a) for a in data(shape))
    y = y.float()
    epoch = 0
    while True:
        epoch += 1
        rows = torch.from_numpy(order(epoch, len(x)))
        since = Watch()
        total = 0.0
        for batch in rows.split(shape.batch_size):
            optimizer.zero_grad()
            loss = criterion(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
            total += loss.item()
        yield *since.seconds(), total / shape.steps


CONTENDERS: dict[str, Callable[[Shape], Epochs]] = {
    "harness": train_with_harness,
    "keras fit": train_with_keras,
    "keras fit, XLA": lambda shape: train_with_keras(shape, jit_compile=True),
    "torch": train_with_torch,
    "jax harness": train_with_harness,
    "jax fit": train_with_keras,
}
# The contenders that start from the same weights, and what they are compared with.
PARITY = {"harness": "keras fit", "keras fit, XLA": "keras fit", "jax harness": "jax fit"}


def single_threaded_tensorflow() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def flops_per_step(shape: Shape) -> float:
    """Multiplications and additions of the matrix products: forward once, backward twice."""
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[shape.cell]
    rows = shape.batch_size * shape.sequence_length
    inputs = [EMBEDDING] + [shape.units] * (shape.depth - 1)
    return sum(3 * 2 * rows * (n + shape.units) * gates * shape.units for n in inputs)


def matmul_gflops(size: int = 1024) -> float:
    """What this core does in a large float32 product, by NumPy's BLAS (one core: pinned)."""
    a = np.ones((size, size), np.float32)
    seconds = []
    for _ in range(7):
        watch = Watch()
        a @ a
        seconds.append(watch.seconds()[1])
    return 2 * size**3 / statistics.median(seconds) / 1e9


def table(result: dict[str, Any]) -> str:
    """The result as text."""
    lines = [f"matrix product: {result['matmul_gflops']:.0f} GFLOP/s"]
    titles = ("first epoch s", 14), ("ms/step", 10), ("min–max", 16), ("wall ms", 10)
    titles += ("stock/this", 12), ("loss", 12), ("from stock", 12)
    head = " " * 16 + "".join(f"{title:>{width}}" for title, width in titles)
    shape = ""
    for row in result["rows"]:
        if row["shape"] != shape:
            shape = row["shape"]
            lines += ["", f"{shape}: goal {row['goal']:g}×, limit {row['limit_ms']:.2f} ms", head]
        stock = next(
            r["step_ms"]
            for r in result["rows"]
            if r["shape"] == shape and r["contender"] == "keras fit"
        )
        spread = f"{row['step_ms_min']:.2f}–{row['step_ms_max']:.2f}"
        lines.append(
            f"{row['contender']:16}{row['first_epoch_s']:14.2f}{row['step_ms']:10.2f}{spread:>16}"
            f"{row['step_wall_ms']:10.2f}{stock / row['step_ms']:11.1f}×{row['loss']:12.6f}"
            + (f"{row['loss_parity']:12.1e}" if row["loss_parity"] is not None else "")
        )
    if result["five_epochs_s"]:
        ours, stock = (result["five_epochs_s"][name] for name in ("harness", "keras fit"))
        lines += [
            "",
            f"five epochs of 20,000 reviews, the seed's LSTM: {ours:.1f} s, stock "
            f"{stock:.1f} s: {stock / ours:.1f}× (goal 6×)",
        ]
    return "\n".join(lines)


def notify(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
