"""Measure the execution paths over a grid of shapes and derive the rule of `choose_path`.

    python tests/benchmarks/derive_paths.py             measure (15 minutes), write paths.json
    python tests/benchmarks/derive_paths.py --derive    derive the rules from the records again

This measures TensorFlow's paths, each shape on every path in turn, in one process with one thread;
run it on an idle machine, pinned to a core. JAX's paths are measured by `training_speed.py`, which
writes records of each device to `harness/profile/measured/`. What counts is the time of a short
trial, compilation included.
"""

import argparse
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).with_name("paths.json")
MEASURED = Path(__file__).parents[2] / "harness" / "profile" / "measured"
TRIAL_STEPS = 1500  # a trial of lstm_depth with 3 epochs: 16,000 reviews, batches of 32
UNITS = (4, 5, 6, 8, 10, 12, 16, 32, 64, 128)
BATCHES = ((32, 100), (64, 200))  # batch size, sequence length
CELLS = ("lstm", "gru", "rnn")

Limits = tuple[tuple[int | None, str], ...]


def trial_s(record: Mapping[str, Any]) -> float:
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


def derive_jax(records: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, Limits]]:
    """`JAX_PATHS`: by device and cell, the fastest path for layers of up to so many units.

    Neighbouring numbers of units with the same fastest path are one entry. Where several shapes
    have the same units, paths that were measured on all of them are compared by their sum.
    """
    # device and cell → units → the rest of a shape → path → seconds
    shapes: dict[tuple[str, str], dict[int, dict[Any, dict[str, float]]]] = {}
    for r in records:
        shape = tuple(r.get(name) for name in ("depth", "batch_size", "sequence_length"))
        of_cell = shapes.setdefault((r["device"], r["cell"]), {})
        of_cell.setdefault(r["units"], {}).setdefault(shape, {})[r["path"]] = trial_s(r)
    found: dict[str, dict[str, Limits]] = {}
    for device, cell in sorted(shapes):
        steps: list[tuple[int | None, str]] = []
        for units, alike in sorted(shapes[device, cell].items()):
            common = set.intersection(*(set(paths) for paths in alike.values()))
            seconds = {path: sum(paths[path] for paths in alike.values()) for path in common}
            fastest = min(sorted(seconds), key=lambda path: seconds[path])
            if steps and steps[-1][1] == fastest:
                steps.pop()
            steps.append((units, fastest))
        steps[-1] = (None, steps[-1][1])
        found.setdefault(device, {})[cell] = tuple(steps)
    return found


def of_jax() -> list[dict[str, Any]]:
    """The committed records of JAX's paths, on all devices."""
    files = sorted(MEASURED.glob("*.json"))
    every = [record for file in files for record in json.loads(file.read_text())["records"]]
    return [record for record in every if record["backend"] == "jax" and record["path"]]


def measure() -> Iterator[dict[str, Any]]:
    """A record for each cell, shape and path of TensorFlow."""
    os.environ["KERAS_BACKEND"], os.environ["TF_CPP_MIN_LOG_LEVEL"] = "tensorflow", "3"
    from speed_contenders import single_threaded_tensorflow

    single_threaded_tensorflow()
    from harness.training.recurrent import PATHS

    for cell in CELLS:
        for batch_size, length in BATCHES:
            for units in UNITS:
                for path in PATHS:
                    if path == "xla-kernel" and units > 16:
                        continue  # several times slower
                    yield measured(cell, units, batch_size, length, path)


def measured(cell: str, units: int, batch_size: int, length: int, path: str) -> dict[str, Any]:
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
    trained = Trainer(path=path, device="cpu", notify=_refuse).train(
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
    chosen = parser.parse_args()
    if not chosen.derive:
        records = []
        for record in measure():
            print(json.dumps(record), flush=True)
            records.append(record)
        about = {name: version(name) for name in ("tensorflow", "keras")}
        about |= {"machine": platform.machine(), "processor": _processor()}
        RECORDS.write_text(json.dumps({**about, "records": records}, indent=0) + "\n")
    print("ONE_KERNEL_UNITS =", derive(json.loads(RECORDS.read_text())["records"]))
    print("JAX_PATHS =", derive_jax(of_jax()))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))


if __name__ == "__main__":
    main()
