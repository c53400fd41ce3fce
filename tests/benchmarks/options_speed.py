"""What masks, residual connections and other options add to a step, on one core.

    taskset -c 0 python tests/benchmarks/options_speed.py [--rounds 7] [--json]

All programs live in one process on one core, and their epochs are taken in turn; a step's time is
the median over rounds, in processor time. Ratios are to the plain network of the same shape. Beside
each stands how far its loss is from stock Keras's `fit` with the same weights and batches.
"""

import argparse
import json
import os
import statistics
import sys
import time
from typing import Any

import numpy as np
from speed_contenders import single_threaded_tensorflow

SHAPES = (("lstm", 2, 32), ("gru", 2, 32), ("lstm", 2, 8), ("lstm", 4, 64))  # cell, depth, units
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "mask": {"mask": True},
    "residual + layer norm": {"residual": True, "layer_norm": "output"},
    "residual": {"residual": True},
    "layer norm": {"layer_norm": "output"},
    "recurrent dropout": {"recurrent_dropout": 0.2},
    "attention": {"pooling": "attention"},
    "clipped": {"clip_norm": 1.0},
}
STEPS, LENGTH, BATCH, PADDING = 20, 100, 32, 30
SEED = 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    single_threaded_tensorflow()
    rows = [row for shape in SHAPES for row in measure(*shape, arguments.rounds)]
    if arguments.json:
        print(json.dumps({"rows": rows}))
        return
    for row in rows:
        parity = row["loss_parity"]
        print(
            f"{row['cell']} {row['depth']}×{row['units']:<4}{row['options']:24}"
            f"{row['step_ms']:8.2f} ms{row['ratio']:7.2f}×"
            + ("" if parity is None else f"   loss {row['loss']:.6f}, {parity:.0e} from stock")
        )


def measure(cell: str, depth: int, units: int, rounds: int) -> list[dict[str, Any]]:
    """One row for each set of options; the first epochs compile and are not counted."""
    from harness.datasets.base.dataset import Arrays
    from harness.datasets.base.signature import BINARY
    from harness.spec.hyperparameters import Hyperparameters
    from harness.training.engines import build_program
    from harness.training.recurrent import choose_path, set_xla_flags

    set_xla_flags()
    random = np.random.default_rng(SEED)
    x = random.integers(1, 10_000, (STEPS * BATCH, LENGTH), dtype=np.int32)
    x[:, :PADDING] = 0
    data = Arrays(x, random.integers(0, 2, len(x), dtype=np.int32))
    order = np.arange(len(x))

    def program(options: dict[str, Any], path: str | None) -> Any:
        hp = Hyperparameters(cell=cell, depth=depth, units=units, sequence_length=LENGTH, **options)
        made = build_program(
            hp, BINARY, path or choose_path(hp, device="cpu", backend="tensorflow")
        )
        made.compile(data, data)
        made.reset(hp, SEED)
        return made

    def epoch(made: Any) -> tuple[float, float]:
        """Milliseconds of a step, and the loss."""
        since = time.process_time()
        found = made.train(data, order, lambda *progress: None, done=0, seconds=0.0)
        return (time.process_time() - since) / STEPS * 1000.0, found.loss

    ours = {name: program(options, None) for name, options in OPTIONS.items()}
    losses = {name: epoch(made)[1] for name, made in ours.items()}
    taken: dict[str, list[float]] = {name: [] for name in ours}
    for _ in range(rounds):
        for name, made in ours.items():
            taken[name].append(epoch(made)[0])
    print(f"{cell} {depth}×{units} measured", file=sys.stderr, flush=True)
    medians = {name: statistics.median(each) for name, each in taken.items()}
    rows = []
    for name, options in OPTIONS.items():
        # Masks of dropout are drawn in another order in stock Keras.
        comparable = "recurrent_dropout" not in options
        stock = epoch(program(options, "keras"))[1] if comparable else None
        rows.append({
            "cell": cell, "depth": depth, "units": units, "options": name,
            "step_ms": medians[name], "ratio": medians[name] / medians["plain"],
            "loss": losses[name],
            "loss_parity": None if stock is None else abs(losses[name] - stock) / abs(stock),
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
