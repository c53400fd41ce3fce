"""Whether the profiler's step times are those of other ways of measuring.

    taskset -c 0 python tests/benchmarks/profiler_agreement.py

Three cells and three sizes of network, measured in turns: by the profiler in fresh processes, by a
worker that has trained (as at the end of a study), and by a loop in this process that only times
whole epochs from outside. Exits with 1 where fresh processes differ from the loop by more than
10 %, or the worker from fresh processes by more than 2 % (median of all shapes). Run it on an idle
machine.
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
from harness.workers.local import LocalPool, Settings  # noqa: E402

LOOP, WARM = 0.10, 0.02  # largest differences
ROWS = (6_400, 1_600)
EPOCHS = 7


def main() -> int:
    shapes = {"sequence_length": [100], "batch_size": [32], "depth": [2]}
    configurations = [
        *profiler.grid({"cell": CELLS, "units": [5], **shapes}),
        *profiler.grid({"cell": ["lstm"], "units": [16, 48], **shapes}),
    ]
    settings = Settings(backend="tensorflow", device="cpu", threads=1, path=None)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        fresh = profiler.profile(configurations, place / "f", measurements.Effort(2, 2.0), print)
        with LocalPool(1, settings, place) as pool:
            other = profiler.grid({"cell": ["gru"], "units": [24], **shapes})
            effort = measurements.Effort(1, 2.0, warm=True)
            workers = profiler.Warm(pool, ROWS)
            profiler.profile(other, place / "other", effort, print, workers)
            warm = profiler.profile(configurations, place / "w", effort, print, workers)
    print("\n| cell, units | fresh processes, ms | a worker | difference | loop | difference |")
    print("|---|---|---|---|---|---|")
    from_warm, from_loop = [], []
    for each, by_worker in zip(fresh["entries"], warm["entries"], strict=True):
        profiled, worker = each["step_ms"]["median"], by_worker["step_ms"]["median"]
        timed = loop_ms(each["cell"], each["units"])
        from_warm.append(abs(worker / profiled - 1))
        from_loop.append(abs(profiled / timed - 1))
        print(
            f"| {each['cell']}, {each['units']} | {profiled:.3f} | {worker:.3f} | "
            f"{worker / profiled - 1:+.1%} | {timed:.3f} | {profiled / timed - 1:+.1%} |"
        )
    print(f"median difference of the worker {statistics.median(from_warm):.1%}")
    return int(max(from_loop) > LOOP or statistics.median(from_warm) > WARM)


def loop_ms(cell: str, units: int) -> float:
    """Milliseconds a step of whole epochs, by the clock around them."""
    import numpy as np

    from harness.datasets.base.dataset import Arrays
    from harness.datasets.base.signature import BINARY
    from harness.training.recurrent import choose_path, set_xla_flags
    from harness.training.tensorflow_epochs import TensorFlowEpochs

    set_xla_flags()
    hp = Hyperparameters(cell=cell, depth=2, units=units, sequence_length=100, batch_size=32)
    random = np.random.default_rng(7)
    x = random.integers(1, 10_000, (ROWS[0], 100), dtype=np.int32)
    split = Arrays(x, random.integers(0, 2, len(x), dtype=np.int32))
    program = TensorFlowEpochs(hp, BINARY, choose_path(hp, device="cpu", backend="tensorflow"))
    program.compile(split, Arrays(split.x[:32], split.y[:32]))
    program.reset(hp, 0)
    seconds = []
    for _ in range(EPOCHS):
        started = time.perf_counter()
        program.train(split, np.arange(len(x)), lambda *_: None, done=0, seconds=0.0)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:]) / (ROWS[0] // 32) * 1000.0


if __name__ == "__main__":
    sys.exit(main())
