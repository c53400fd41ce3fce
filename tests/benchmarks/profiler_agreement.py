"""Whether the profiler's step times are those of a timing loop that knows nothing of it.

    taskset -c 0 python tests/benchmarks/profiler_agreement.py

On the seed's shapes (batch 32, 100 words, 2 × 5 units, three cells): the profiler in processes of
its own, and a loop in this one that only times whole epochs from outside. Both are printed; exits
with 1 where they differ by more than 10 %. Run it on an idle machine.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

CORE = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {CORE})
os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1",
               "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}  # fmt: skip

from harness.profile import measurements, profiler  # noqa: E402 (after the threads are set)
from harness.spec.hyperparameters import CELLS, Hyperparameters  # noqa: E402

LIMIT = 0.10
STEPS, EPOCHS = 200, 9


def main() -> int:
    configurations = profiler.grid(
        {"cell": CELLS, "units": [5], "sequence_length": [100], "batch_size": [32], "depth": [2]}
    )
    with tempfile.TemporaryDirectory() as folder:
        found = profiler.profile(
            configurations, Path(folder), measurements.Effort(2, 2.0), lambda text: print(text)
        )
    worst = 0.0
    print("\ncell  profiler, ms  loop, ms  difference")
    for entry in found["entries"]:
        profiled, timed = entry["step_ms"]["median"], loop_ms(entry["cell"])
        worst = max(worst, abs(profiled / timed - 1))
        note = "  unstable" if entry["step_ms"]["unstable"] else ""
        print(f"{entry['cell']:5} {profiled:12.3f} {timed:9.3f} {profiled / timed - 1:10.1%}{note}")
    return int(worst > LIMIT)


def loop_ms(cell: str) -> float:
    """Milliseconds a step of whole epochs, by the clock around them."""
    import numpy as np

    from harness.datasets.base.dataset import Arrays
    from harness.training.compiled_epochs import CompiledEpochs
    from harness.training.recurrent import choose_path, set_xla_flags

    set_xla_flags()
    hp = Hyperparameters(cell=cell, depth=2, units=5, sequence_length=100, batch_size=32)
    random = np.random.default_rng(7)
    x = random.integers(1, 10_000, (32 * STEPS, 100), dtype=np.int32)
    split = Arrays(x, random.integers(0, 2, len(x), dtype=np.int32))
    program = CompiledEpochs(hp, 2, choose_path(hp, device="cpu", backend="tensorflow"))
    program.compile(split, Arrays(split.x[:32], split.y[:32]))
    program.reset(hp, 0)
    seconds = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        program.train(split, np.arange(len(x)), lambda *_: None, done=0, seconds=0.0)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:]) / STEPS * 1000.0


if __name__ == "__main__":
    sys.exit(main())
