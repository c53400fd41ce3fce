"""Measure the execution paths over a grid of shapes and derive the rule of `choose_path`.

    python tests/benchmarks/derive_paths.py             measure (15 minutes), write paths.json
    python tests/benchmarks/derive_paths.py --derive    derive the rule from paths.json again
    python tests/benchmarks/derive_paths.py --backend jax [--device gpu]    the same for JAX

JAX has a file of its own, paths-jax.json, with the records of both devices. Each shape is measured
on every path in turn, in one process with one thread; run it on an idle machine, pinned to a core.
What counts is the time of a short trial, compilation included.
"""

import argparse
import json
import os
import platform
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

RECORDS = {
    "tensorflow": Path(__file__).with_name("paths.json"),
    "jax": Path(__file__).with_name("paths-jax.json"),
}
TRIAL_STEPS = 1500  # a trial of lstm_depth with 3 epochs: 16,000 reviews, batches of 32
UNITS = (4, 5, 6, 8, 10, 12, 16, 32, 64, 128)
BATCHES = ((32, 100), (64, 200))  # batch size, sequence length
CELLS = ("lstm", "gru", "rnn")


def trial_s(record: dict[str, Any]) -> float:
    """Seconds of a short trial."""
    return float(record["compile_s"] + TRIAL_STEPS * record["step_ms"] / 1000.0)


def derive(records: list[dict[str, Any]]) -> dict[str, int]:
    """By cell, the most units up to which one kernel a loop is the faster, over all batches.

    Raises ValueError where stock Keras was the fastest: the rule has no case for that.
    """
    limits = {}
    for cell in CELLS:
        limits[cell] = 0
        for units in UNITS:
            seconds = {
                path: sum(
                    trial_s(r)
                    for r in records
                    if (r["cell"], r["units"], r["path"]) == (cell, units, path)
                )
                for path in ("xla-kernel", "xla-scan", "keras")
            }
            if seconds["keras"] < min(seconds["xla-kernel"], seconds["xla-scan"]):
                raise ValueError(f"{cell} with {units} units: stock Keras is the fastest")
            if seconds["xla-kernel"] > seconds["xla-scan"]:
                break
            limits[cell] = units
    return limits


def derive_jax(
    records: list[dict[str, Any]],
) -> dict[str, dict[str, tuple[tuple[int | None, str], ...]]]:
    """`JAX_PATHS`: by device and cell, the fastest path for layers of up to so many units.

    Neighbouring numbers of units with the same fastest path are one entry.
    """
    found: dict[str, dict[str, tuple[tuple[int | None, str], ...]]] = {}
    for device in sorted({r["device"] for r in records}):
        for cell in sorted({r["cell"] for r in records if r["device"] == device}):
            of_cell = [r for r in records if (r["device"], r["cell"]) == (device, cell)]
            steps: list[tuple[int | None, str]] = []
            for units in sorted({r["units"] for r in of_cell}):
                seconds: dict[str, float] = {}
                for r in of_cell:
                    if r["units"] == units:
                        seconds[r["path"]] = seconds.get(r["path"], 0.0) + trial_s(r)
                fastest = min(seconds, key=lambda path: seconds[path])
                if steps and steps[-1][1] == fastest:
                    steps.pop()
                steps.append((units, fastest))
            steps[-1] = (None, steps[-1][1])
            found.setdefault(device, {})[cell] = tuple(steps)
    return found


def measure(backend: str, device: str) -> Iterator[dict[str, Any]]:
    """A record for each cell, shape and path."""
    os.environ["KERAS_BACKEND"], os.environ["TF_CPP_MIN_LOG_LEVEL"] = backend, "3"
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)

    from harness.training.recurrent import PATHS

    for cell in CELLS:
        for batch_size, length in BATCHES:
            for units in UNITS:
                for path in PATHS:
                    # Several times slower beyond these units, and of no use on a GPU.
                    if path == "xla-kernel" and (units > 16 or device == "gpu"):
                        continue
                    record = measured(cell, units, batch_size, length, path, device)
                    yield record if backend == "tensorflow" else {"device": device, **record}


def measured(
    cell: str, units: int, batch_size: int, length: int, path: str, device: str
) -> dict[str, Any]:
    """One record: a training of three epochs, of which the first one compiles."""
    import numpy as np

    from harness.datasets.base.dataset import Arrays
    from harness.spec.hyperparameters import Hyperparameters
    from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions

    hp = Hyperparameters(cell=cell, units=units, sequence_length=length, batch_size=batch_size)
    work = units * units * batch_size * length
    steps = max(6, min(150, round(2e8 / work))) if path != "keras" else 12
    random = np.random.default_rng(0)

    def split(examples: int) -> Arrays:
        x = random.integers(1, hp.vocabulary, (examples, length), dtype=np.int32)
        return Arrays(x, random.integers(0, 2, examples, dtype=np.int32))

    data = Data(train=split(steps * batch_size), validation=split(batch_size))
    trained = Trainer(path=path, device=device, notify=_refuse).train(
        hp, data, TrainOptions(seed=0, epochs=3), Callbacks()
    )
    return {
        "cell": cell,
        "units": units,
        "batch_size": batch_size,
        "sequence_length": length,
        "path": trained.path,
        "compile_s": round(trained.epochs[0].compile_s, 2),
        "step_ms": round(min(epoch.step_ms for epoch in trained.epochs[1:]), 3),
    }


def _refuse(line: str) -> None:
    raise RuntimeError(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--derive", action="store_true", help="use the records that are there")
    parser.add_argument("--backend", choices=list(RECORDS), default="tensorflow")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    chosen = parser.parse_args()
    file = RECORDS[chosen.backend]
    if not chosen.derive:
        kept = json.loads(file.read_text())["records"] if file.exists() else []
        records = [r for r in kept if r.get("device", "cpu") != chosen.device]
        for record in measure(chosen.backend, chosen.device):
            print(json.dumps(record), flush=True)
            records.append(record)
        about = {name: version(name) for name in (chosen.backend, "keras")}
        about |= {"machine": platform.machine(), "processor": _processor()}
        file.write_text(json.dumps({**about, "records": records}, indent=0) + "\n")
    records = json.loads(file.read_text())["records"]
    if chosen.backend == "jax":
        print("JAX_PATHS =", derive_jax(records))
    else:
        print("ONE_KERNEL_UNITS =", derive(records))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))


if __name__ == "__main__":
    main()
