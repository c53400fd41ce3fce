"""Measure the execution paths over a grid of shapes and derive the rule of `choose_path`.

    python tests/benchmarks/derive_paths.py             measure (15 minutes), write paths.json
    python tests/benchmarks/derive_paths.py --derive    derive the rule from paths.json again

Each shape is measured on every path in turn, in one process with one thread; run it on an idle
machine, pinned to a core. What counts is the time of a short trial, compilation included.
"""

import argparse
import json
import os
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).with_name("paths.json")
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


def measure() -> Iterator[dict[str, Any]]:
    """A record for each cell, shape and path."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    from harness.training.recurrent import PATHS

    for cell in CELLS:
        for batch_size, length in BATCHES:
            for units in UNITS:
                for path in PATHS:
                    # Several times slower beyond these units: no need to wait for it.
                    if path == "xla-kernel" and units > 16:
                        continue
                    yield _record(cell, units, batch_size, length, path)


def _record(cell: str, units: int, batch_size: int, length: int, path: str) -> dict[str, Any]:
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
    trained = Trainer(path=path, notify=_refuse).train(
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
    if not parser.parse_args().derive:
        records = []
        for record in measure():
            print(json.dumps(record), flush=True)
            records.append(record)
        import keras
        import tensorflow as tf

        RECORDS.write_text(
            json.dumps(
                {
                    "tensorflow": tf.__version__,
                    "keras": keras.__version__,
                    "machine": platform.machine(),
                    "processor": _processor(),
                    "records": records,
                },
                indent=0,
            )
            + "\n"
        )
    print("ONE_KERNEL_UNITS =", derive(json.loads(RECORDS.read_text())["records"]))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(line.split(": ")[1] for line in lines if line.startswith("model name"))


if __name__ == "__main__":
    main()
