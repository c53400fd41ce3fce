"""How fast a training is on each backend, beside stock Keras and PyTorch, on one core.

    python tests/benchmarks/training_speed.py --records harness/profile/measured/cpu.json
    python tests/benchmarks/training_speed.py --quick [--shape NAME] [--json]
    python tests/benchmarks/training_speed.py --device gpu --records FILE.json

The first command takes at most eight minutes (`--limit`), on one core of an idle machine. Its
records decide which backend `--backend auto` takes (harness/profile/backend_choice.py), and which
path of JAX: `derive_paths.py --derive` prints that rule.

Every contender (speed_contenders.py) lives in a process of its own, since one process has one Keras
backend and one set of XLA flags; epochs are taken in turn, so that a noisy moment hits all of them.
Contenders whose library is missing are named and left out; another Python may have it:
`--python torch=/path/to/python`. One that is slow sits out some rounds. Each number stands beside
the loss it came with: contenders of one backend end with the same loss as its stock `fit`, and two
columns say how far apart they are, and how far from TensorFlow's. There Keras's Adam squares the
gradient of an embedding for each occurrence of a word, so losses of other backends differ more.

Ratios are of processor time: what a step takes on a core of its own. Wall time stands beside it;
in Keras's `fit` it is longer, by up to a second an epoch that the process sleeps, and on a busy
machine everything is. On a GPU, wall time is what counts. Nothing is found compiled.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from speed_contenders import (
    CONTENDERS,
    EMBEDDING,
    EXTRA,
    TENSORFLOW_FIT,
    VOCABULARY,
    Shape,
    Watch,
    serve,
)

CELLS = ("lstm", "gru", "rnn")
TITLES = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
# Units, batch size, sequence length, steps of an epoch. Two layers, as in most studies.
GRID = ((8, 32, 100, 100), (16, 32, 100, 60), (32, 64, 200, 20), (128, 32, 100, 12))
GOALS = (
    Shape("LSTM 2×5", "lstm", 2, 5, 32, 100, 100, 10.0),
    Shape("GRU 2×5", "gru", 2, 5, 32, 100, 100, 10.0),
    Shape("SimpleRNN 2×5", "rnn", 2, 5, 32, 100, 100, 6.0),
    Shape("LSTM 2×32", "lstm", 2, 32, 64, 200, 20, 2.5),
)
SHAPES = GOALS + tuple(
    Shape(f"{TITLES[cell]} 2×{units}", cell, 2, units, *rest)
    for units, *rest in GRID
    for cell in CELLS
    if (cell, units) != ("lstm", 32)
)
LARGE = (  # only with --all
    Shape("LSTM 4×64", "lstm", 4, 64, 64, 200, 8, 1.5),
    Shape("LSTM 1×128", "lstm", 1, 128, 128, 100, 12, 1.5),
)
QUICK = ("LSTM 2×5", "GRU 2×8")
ROUNDS, LIMIT_S = 5, 460.0
SLOW_S = 8.0  # of one shape, after which a contender sits out the other rounds
FIVE_EPOCHS = (5, 625)  # epochs, steps: 20,000 reviews in batches of 32
WIDTH = 20  # of a contender's name in the table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--records", type=Path, help="a file for the JSON, too")
    parser.add_argument("--quick", action="store_true", help="two shapes, two rounds of few steps")
    parser.add_argument("--all", action="store_true", help="more shapes, and stock Keras with XLA")
    parser.add_argument("--five-epochs", action="store_true", help="a whole training as well")
    parser.add_argument("--shape", default="", help="only shapes whose name has one of these, a,b")
    parser.add_argument(
        "--without", nargs="+", default=[], metavar="NAME", help="no such contender"
    )
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--limit", type=float, default=LIMIT_S, help="seconds in all")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.contender:
        serve(CONTENDERS[asked.contender])
        return
    if asked.device == "cpu":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    shapes = [
        shape
        for shape in SHAPES + LARGE * asked.all
        if any(part in shape.name for part in asked.shape.split(","))
    ]
    if asked.quick:
        shapes = [
            replace(shape, steps=max(4, shape.steps // 10))
            for shape in shapes
            if asked.shape or shape.name in QUICK
        ]
    if not shapes:
        parser.error(f"--shape {asked.shape}: no shape has this in its name")
    pythons = dict(entry.split("=", 1) for entry in asked.python)
    extra = () if asked.all else EXTRA
    names = [
        name
        for name, contender in CONTENDERS.items()
        if name not in (*extra, *asked.without)
        and any(contender.takes(shape, asked.device) for shape in shapes)
    ]
    result = compare(shapes, names, asked, pythons)
    if asked.five_epochs:
        result["five_epochs_s"] = five_epochs(asked.device, pythons)
    if asked.records:
        asked.records.parent.mkdir(parents=True, exist_ok=True)
        asked.records.write_text(written(result))
    print(json.dumps(result) if asked.json else table(result))


def compare(
    shapes: Sequence[Shape],
    names: Sequence[str],
    asked: argparse.Namespace,
    pythons: Mapping[str, str],
) -> dict[str, Any]:
    """Measure shapes with contenders, as many as the time allows."""
    from harness.core import environment

    started = time.perf_counter()
    gflops, rows = matmul_gflops(), []
    processes = started_processes(names, asked.device, pythons)
    try:
        for number, shape in enumerate(shapes):
            left = asked.limit - (time.perf_counter() - started)
            if number and left < (asked.limit - left) / number:
                notify(f"left out, no time: {', '.join(s.name for s in shapes[number:])}")
                break
            ours = {
                name: process
                for name, process in processes.items()
                if CONTENDERS[name].takes(shape, asked.device)
            }
            notify(f"{shape.name}: {shape.steps} steps an epoch, {left:.0f} s left")
            taken = measure(shape, ours, 2 if asked.quick else ROUNDS)
            limit_ms = flops_per_step(shape) / gflops / 1e6
            of_shape = {**asdict(shape), "embedding_dim": EMBEDDING, "vocabulary": VOCABULARY}
            of_shape |= {"limit_ms": limit_ms, "device": asked.device}
            rows += summary(of_shape, taken, {name: p.start_s for name, p in ours.items()})
    finally:
        for process in processes.values():
            process.close()
    return {
        "environment": environment.describe(),
        "matmul_gflops": gflops,
        "seconds": round(time.perf_counter() - started, 1),
        "records": rows,
    }


def started_processes(
    names: Sequence[str], device: str, pythons: Mapping[str, str]
) -> "dict[str, Process]":
    """The contenders that can be had, started one after another, so that each start is timed."""
    found = {}
    for name in names:
        process = Process(name, device, pythons)
        if process.start_s is not None:
            found[name] = process
    return found


def measure(
    shape: Shape, processes: "Mapping[str, Process]", rounds: int
) -> dict[str, list[dict[str, Any]]]:
    """All epochs of one shape by contender: first those that compile, then rounds in turn."""
    taken: dict[str, list[dict[str, Any]]] = {}
    for name, process in processes.items():
        process.begin(shape)
        if (first := process.epoch()) is not None:
            taken[name] = [first]
    for _ in range(rounds):
        for name, epochs in taken.items():
            if len(epochs) > 1 and sum(each["wall_s"] for each in epochs[1:]) > SLOW_S:
                continue
            if (epoch := processes[name].epoch()) is not None:
                epochs.append(epoch)
    return {name: epochs for name, epochs in taken.items() if len(epochs) > 1}


def summary(
    shape: Mapping[str, Any],
    taken: Mapping[str, Sequence[Mapping[str, Any]]],
    start_s: Mapping[str, float | None],
) -> list[dict[str, Any]]:
    """A row for each contender: medians over its epochs, and how far its loss is from others'."""
    common = min((len(epochs) for epochs in taken.values()), default=0)  # a loss is after so many
    rows, clock = [], "wall_s" if shape["device"] == "gpu" else "cpu_s"
    reference = TENSORFLOW_FIT if TENSORFLOW_FIT in taken else next(iter(taken), "")
    for name, epochs in taken.items():
        contender, first = CONTENDERS[name], epochs[0]
        step_ms, wall_ms = (
            [epoch[key] / shape["steps"] * 1000.0 for epoch in epochs[1:]]
            for key in (clock, "wall_s")
        )
        steps_s = statistics.median(wall_ms) * shape["steps"] / 1000.0
        rows.append(
            {
                **shape,
                "contender": name,
                "backend": contender.backend,
                "path": first["path"] if contender.recorded else None,
                "import_s": start_s[name],
                "first_epoch_s": first["wall_s"],
                "compile_s": first.get("compile_s", max(0.0, first["wall_s"] - steps_s)),
                "step_ms": statistics.median(step_ms),
                "step_ms_min": min(step_ms),
                "step_ms_max": max(step_ms),
                "step_wall_ms": statistics.median(wall_ms),
                "evaluation_ms": epochs[-1]["evaluation_ms"],
                "epochs": len(epochs),
                "loss": epochs[common - 1]["loss"],
                "from_stock": apart(epochs, taken.get(contender.stock or "")),
                "from_tensorflow": apart(epochs, taken[reference]) if contender.of_keras else None,
            }
        )
    return rows


def apart(
    ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]] | None
) -> float | None:
    """How far two losses are apart, relative, after the last epoch that both have."""
    if theirs is None or theirs is ours:
        return None
    last = min(len(ours), len(theirs)) - 1
    return float(abs(ours[last]["loss"] - theirs[last]["loss"]) / abs(theirs[last]["loss"]))


def written(result: Mapping[str, Any]) -> str:
    """The result as JSON, a line for each record."""
    about = {name: value for name, value in result.items() if name != "records"}
    head = json.dumps({**about, "records": []}, indent=1, ensure_ascii=False).removesuffix("[]\n}")
    lines = ",\n".join(json.dumps(record, ensure_ascii=False) for record in result["records"])
    return f"{head}[\n{lines}\n]}}\n"


def five_epochs(device: str, pythons: Mapping[str, str]) -> dict[str, float]:
    """Seconds of a whole training of the tutorial's LSTM, compilation included, imports not."""
    epochs, steps = FIVE_EPOCHS
    totals = {}
    for name in ("tensorflow harness", TENSORFLOW_FIT, "jax scan", "jax fit"):
        notify(f"five epochs of 20,000 reviews: {name}")
        process = Process(name, device, pythons)
        process.begin(replace(SHAPES[0], steps=steps))
        found = [process.epoch() for _ in range(epochs)]
        process.close()
        if None not in found:
            totals[name] = sum(epoch["wall_s"] for epoch in found if epoch)
    return totals


class Process:
    """A contender's process; `start_s` is what its imports took, None where they failed."""

    def __init__(self, name: str, device: str, pythons: Mapping[str, str]) -> None:
        self._name, self._told = name, False
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 (closed in close)
        since = time.perf_counter()
        self._process = subprocess.Popen(
            [pythons.get(name.split()[0], sys.executable), __file__, "--contender", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=variables(CONTENDERS[name].backend, device),
        )
        self.start_s = time.perf_counter() - since if self._answer() else None

    def begin(self, shape: Shape) -> None:
        """Drop what was trained before; the next epoch is the first one of this shape."""
        self._send(json.dumps(asdict(shape)))

    def epoch(self) -> dict[str, Any] | None:
        """Train an epoch; None when the process has ended."""
        self._send("{}")
        return self._answer()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._errors.close()

    def _answer(self) -> dict[str, Any] | None:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        if not self._told:
            self._told = True
            self._errors.seek(0)
            reason = (self._errors.read().splitlines() or ["it ended"])[-1]
            library = self._name.split()[0]
            notify(f"{self._name} is left out: {reason} (--python {library}=… has it elsewhere?)")
        return None

    def _send(self, line: str) -> None:
        try:
            assert self._process.stdin
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass


def variables(backend: str, device: str) -> dict[str, str]:
    """The environment of a contender's process."""
    found = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    found |= {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1"}
    found |= {"SPEED_DEVICE": device, "HARNESS_COMPILE_CACHE": "off"}
    found.pop("JAX_COMPILATION_CACHE_DIR", None)
    if device == "cpu":
        return found | {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
    # Several processes share one GPU.
    return found | {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


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
        seconds.append(watch.seconds()["cpu_s"])
    return 2 * size**3 / statistics.median(seconds) / 1e9


def table(result: Mapping[str, Any]) -> str:
    """The result as text."""
    lines = [f"matrix product: {result['matmul_gflops']:.0f} GFLOP/s; {result['seconds']:.0f} s"]
    titles = ("start s", 9), ("compile s", 11), ("ms/step", 10), ("min–max", 16), ("wall ms", 10)
    titles += ("stock/this", 12), ("loss", 11), ("from stock", 12), ("TensorFlow", 12)
    head = " " * WIDTH + "".join(f"{title:>{width}}" for title, width in titles)
    shape = ""
    for row in result["records"]:
        if row["name"] != shape:
            shape = row["name"]
            goal = "" if row["goal"] is None else f"goal {row['goal']:g}×, "
            size = f"{row['batch_size']} × {row['sequence_length']}"
            lines += ["", f"{shape}, {size}: {goal}limit {row['limit_ms']:.2f} ms", head]
        stock = {r["contender"]: r["step_ms"] for r in result["records"] if r["name"] == shape}
        ratio = stock.get(TENSORFLOW_FIT, float("nan")) / row["step_ms"]
        spread = f"{row['step_ms_min']:.2f}–{row['step_ms_max']:.2f}"
        lines.append(
            f"{row['contender']:{WIDTH}}{row['import_s']:9.1f}{row['compile_s']:11.2f}"
            f"{row['step_ms']:10.2f}{spread:>16}{row['step_wall_ms']:10.2f}"
            f"{f'{ratio:.1f}×' if ratio == ratio else '':>12}{row['loss']:11.6f}"
            + "".join(
                f"{'' if row[name] is None else format(row[name], '.1e'):>12}"
                for name in ("from_stock", "from_tensorflow")
            )
        )
    if totals := result.get("five_epochs_s"):
        told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in totals.items())
        lines += ["", f"five epochs of 20,000 reviews, LSTM 2×5: {told}"]
    return "\n".join(lines)


def notify(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
