"""Is a training the same to the last bit when it is done again, and what does it cost on a GPU?

    python tests/benchmarks/repeated_training.py --device gpu --backend jax

GPUs add numbers in the order in which they come, unless XLA is told not to: `XLA_FLAGS` with
`--xla_gpu_deterministic_ops=true`. Both are measured, in a process each.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

TIMES, EPOCHS, STEPS = 3, 2, 40
FLAG = "--xla_gpu_deterministic_ops=true"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="jax")
    parser.add_argument("--device", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        print(json.dumps(measured(asked.device)))
        return
    flags = os.environ.get("XLA_FLAGS", "")
    for flag in ("", FLAG) if asked.device == "gpu" else ("",):
        given = {"KERAS_BACKEND": asked.backend, "XLA_FLAGS": f"{flags} {flag}".strip()}
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--measure"],
            env={**os.environ, **given}, stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        about = {"backend": asked.backend, "device": asked.device, "flag": flag}
        print(json.dumps({**about, **json.loads(done.stdout.splitlines()[-1])}), flush=True)


def measured(device: str) -> dict[str, Any]:
    """The loss of each training after each epoch, and the step times of the last epoch."""
    import numpy as np

    from harness.datasets.base.dataset import Arrays
    from harness.spec.hyperparameters import Hyperparameters
    from harness.training.engines import prepare_compiler
    from harness.training.trainer import Callbacks, Data, Trainer, TrainOptions

    prepare_compiler(os.environ["KERAS_BACKEND"])
    hp = Hyperparameters(cell="gru", units=32, depth=2, sequence_length=100, dropout=0.2)
    random = np.random.default_rng(0)
    x = random.integers(1, hp.vocabulary, (STEPS * hp.batch_size, 100), dtype=np.int32)
    y = random.integers(0, 2, len(x), dtype=np.int32)
    data = Data(train=Arrays(x, y), validation=Arrays(x[:320], y[:320]))
    losses, step_ms = [], []
    for _ in range(TIMES):
        trained = Trainer(path=None, device=device, notify=print).train(
            hp, data, TrainOptions(seed=0, epochs=EPOCHS), Callbacks()
        )
        losses.append([epoch.loss for epoch in trained.epochs])
        step_ms.append(round(trained.epochs[-1].step_ms, 3))
    same = all(each == losses[0] for each in losses)
    return {"path": trained.path, "same": same, "losses": losses, "step_ms": step_ms}


if __name__ == "__main__":
    main()
