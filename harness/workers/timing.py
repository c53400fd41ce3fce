"""Times the training of one configuration in this process.

Only worker processes import this module, because it imports Keras. `harness.profile.profiler` asks
for measurements, and pools those of several fresh processes.
"""

import gc
import math
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import psutil
from numpy.typing import NDArray

from harness.datasets.base.dataset import Arrays, Examples
from harness.datasets.base.signature import Signature
from harness.datasets.base.windows import Windows
from harness.spec.counts import flops_per_step
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.training.compiled_epochs import CompiledEpochs
from harness.training.engines import build_program
from harness.training.epochs import Epochs, epoch_order
from harness.training.keras_epochs import FitEpochs
from harness.training.networks import DECODER
from harness.training.recurrent import choose_path
from harness.training.trainer import Data, Trainer
from harness.workers import energy
from harness.workers.messages import Measure
from harness.workers.spread import UNSTABLE, relative_spread

SEED = 0
MAX_STEPS = 128  # of an epoch, and so of a block
IDS_OF_AN_EPOCH = 2_000_000  # larger inputs get shorter epochs, of at least MIN_STEPS
FLOPS_OF_AN_EPOCH = 100_000_000_000  # larger networks on a CPU, too: some seconds are enough
MIN_STEPS, MIN_BLOCKS = 8, 7
LONGER = 3  # measure so many times as long where blocks differ too much
STEADY = 0.01  # relative spread below which half of the time is enough
# A block must be long against its call: a few tenths of a millisecond, or 20 ms for Keras's `fit`.
BLOCK_S, FIT_BLOCK_S = 0.1, 1.0

Block = Callable[[int], float]  # trains so many steps, returns seconds


def measure(order: Measure, trainer: Trainer) -> dict[str, Any]:
    """The figures of one configuration (see `_measured`).

    A program that was made for the measurement is deleted after it.
    """
    if order.rows is not None:
        return _measured(order, trainer)
    try:
        return _measured(order, trainer)
    finally:
        keras.utils.clear_session(free_memory=True)
        gc.collect()


def _measured(order: Measure, trainer: Trainer) -> dict[str, Any]:
    """The figures of one configuration on the trainer's device.

    Seconds are wall time.
    - `build_s`: making the model and its optimizer.
    - `compile_s`: tracing and compiling training and evaluation; where the program was compiled
      before on this machine, the seconds that it took then. Stock `fit` also runs a step.
    - `block_ms`: milliseconds for each training step, one number for each block of `block_steps`
      steps after the warm-up. Results are fetched at the end of the block.
    - `evaluation_ms`: milliseconds for each batch, one number for each of several evaluations.
    - `epoch_s`: an epoch of `epoch_steps` training steps and `evaluation_steps` batches of
      validation; None for a program that the worker holds.
    - `peak_rss_mb` (2**20 bytes): the peak of the process, with memory that earlier measurements
      left in use.

    Raises RuntimeError if the path or device that ran is not the one asked for.
    """
    hp, backend, device = order.hyperparameters, keras.backend.backend(), trainer.device
    path = order.path or choose_path(hp, device=device, backend=backend)
    _assert_device(device, backend)
    matmul = matmul_gflops(device)
    reset_peak_rss()
    machine = Machine()
    if order.rows is None:
        steps = steps_of_an_epoch(hp, order.signature, device)
        rows = steps * hp.batch_size, max(1, steps // 4) * hp.batch_size
    else:
        rows = order.rows
        steps = math.ceil(rows[0] / hp.batch_size)
    train, validation = (random_split(hp, order.signature, n) for n in rows)
    if order.rows is None:
        program = build_program(hp, order.signature, path)
        program.compile(train, validation)
    else:
        data = Data(train=train, validation=validation, signature=order.signature)
        program, path = trainer.program(hp, data)
    program.reset(hp, SEED)
    executed = executed_path(program, hp, path, device, backend)

    block = block_of(program, train, hp.batch_size, steps)
    length = warm_up(block, steps, FIT_BLOCK_S if isinstance(program, FitEpochs) else BLOCK_S)
    joules = energy.counter(device)
    before = joules() if joules else 0.0
    block_ms, longer = timed(lambda: block(length) / length * 1000.0, order.seconds)
    used = joules() - before if joules else -1.0

    evaluated = steps // 4 or 1
    if order.rows is not None:  # some batches of a large split are enough
        evaluated = min(math.ceil(rows[1] / hp.batch_size), 2 * length)
        validation = first_of(validation, evaluated * hp.batch_size)
    program.evaluate(validation)  # warm-up
    evaluation_ms, _ = timed(
        lambda: program.evaluate(validation).seconds / evaluated * 1000.0,
        order.seconds / 4,
        least=3,
        longer=1,
    )
    epoch_s = epoch_of(program, train, validation) if order.rows is None else None
    return {
        "backend": backend,
        "device": device,
        **executed,
        "build_s": program.build_s,
        "compile_s": program.compile_s,
        "block_ms": block_ms,
        "block_steps": length,
        "measured_longer": longer,
        "evaluation_ms": evaluation_ms,
        "epoch_s": epoch_s,
        "epoch_steps": steps,
        "evaluation_steps": evaluated,
        "parameters": sum(int(np.prod(w.shape)) for w in program.model.trainable_weights),
        "matmul_gflops": matmul,
        "peak_rss_mb": peak_rss_mb(),
        "peak_device_mb": peak_device_mb(device, backend),
        "joules_per_step": used / (len(block_ms) * length) if used > 0 else None,
        **machine.since(),
    }


def steps_of_an_epoch(hp: Hyperparameters, signature: Signature, device: str) -> int:
    """How many training steps a measured epoch has; this does not depend on measurements."""
    steps = min(MAX_STEPS, IDS_OF_AN_EPOCH // (hp.batch_size * hp.sequence_length))
    if device == "cpu":
        steps = min(steps, FLOPS_OF_AN_EPOCH // flops_per_step(hp, signature))
    return max(MIN_STEPS, steps)


def timed(
    sample: Callable[[], float],
    seconds: float,
    *,
    least: int = MIN_BLOCKS,
    longer: int = LONGER,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[list[float], bool]:
    """Samples taken for `seconds`, at least `least` of them; and whether it took longer.

    Half of the time is enough if they differ by little (`relative_spread` below STEADY). If they
    differ too much (`relative_spread` above UNSTABLE), more samples are taken, up to
    `longer` times as many in all. All samples are returned.
    """
    started = clock()
    samples: list[float] = []
    while len(samples) < least or (
        (spent := clock() - started) < seconds
        and (spent < seconds / 2 or relative_spread(samples) >= STEADY)
    ):
        samples.append(sample())
    enough = len(samples)
    while len(samples) < longer * enough and relative_spread(samples) > UNSTABLE:
        samples.append(sample())
    return samples, len(samples) > enough


def block_of(program: Epochs, split: Examples, batch_size: int, steps: int) -> Block:
    """A function that trains some of an epoch's `steps` and returns their seconds."""
    order = epoch_order(SEED, 1, len(split))

    def block(count: int) -> float:
        if program.pausable:  # the last steps of the epoch, since its size is compiled in
            done = steps - count
            return program.train(split, order, _ignore, done=done, seconds=0.0).seconds
        part = order[: count * batch_size]
        return program.train(split, part, _ignore, done=0, seconds=0.0).seconds

    return block


def warm_up(block: Block, steps: int, block_s: float) -> int:
    """Run longer blocks until one takes `block_s` seconds; returns its steps, at most `steps`."""
    block(1)
    count = 1
    while (seconds := block(count)) < block_s and count < steps:
        count = min(steps, max(2 * count, math.ceil(count * block_s / max(seconds, 1e-9))))
    return count


def epoch_of(program: Epochs, train: Examples, validation: Examples) -> float:
    """Wall seconds of an epoch: drawing the order, all steps, validation."""
    started = time.perf_counter()
    program.train(train, epoch_order(SEED, 2, len(train)), _ignore, done=0, seconds=0.0)
    program.evaluate(validation)
    return time.perf_counter() - started


def random_split(hp: Hyperparameters, signature: Signature, rows: int) -> Examples:
    """Rows of random words or numbers, without padding, and random targets.

    Times do not depend on the values.
    """
    rng = np.random.default_rng(SEED)
    length, features, steps = hp.sequence_length, signature.features, signature.steps
    if signature.horizon:  # as many rows as one series needs
        total = rows + length - 1 + signature.horizon
        targets = rng.standard_normal((total, signature.numbers // signature.horizon), np.float32)
        return Windows(
            series=rng.standard_normal((total, features), np.float32),
            targets=targets,
            unit=targets.astype(np.float64),
            origins=np.arange(length - 1, length - 1 + rows, dtype=np.int32),
            moments=np.arange(rows),
            members=np.zeros(rows, np.int64),
            lookback=length,
            horizon=signature.horizon,
            deviations=np.ones(targets.shape[1]),
        )
    y_shape = (rows, steps) if steps else (rows,)
    x: NDArray[Any] = (
        rng.standard_normal((rows, length, features), np.float32)
        if features
        else rng.integers(1, hp.vocabulary, (rows, length), dtype=np.int32)
    )
    if signature.classes == 0:
        return Arrays(x, rng.standard_normal(y_shape, np.float32))
    return Arrays(x, rng.integers(0, signature.classes, y_shape, dtype=np.int32))


def first_of(split: Examples, count: int) -> Examples:
    """The first examples of a split."""
    if isinstance(split, Windows):
        return replace(split, origins=split.origins[:count])
    return Arrays(split.x[:count], split.y[:count])


def executed_path(
    program: Epochs, hp: Hyperparameters, path: str, device: str, backend: str
) -> dict[str, Any]:
    """The path that runs, read from the program itself: `path`, `xla`, `cudnn`.

    `cudnn` is None where this is unknown. Raises RuntimeError if the program is not that of
    `path`.
    """
    layers = [getattr(layer, "forward_layer", layer) for layer in program.model.layers]
    layers = [layer for layer in layers if isinstance(layer, keras.layers.RNN)]
    read = [layer for layer in layers if not layer.name.startswith(DECODER)]
    if len(read) != (0 if hp.cell == BAG else hp.depth):
        raise RuntimeError(f"path {path}: the model has {len(layers)} recurrent layers")
    if isinstance(program, CompiledEpochs):
        from harness.training.recurrent.layers import LAYERS

        xla = program.compiled_by_xla
        right = xla and all(type(layer) is LAYERS[path][hp.cell] for layer in layers)
        cudnn: bool | None = False
    else:
        xla = backend != "torch" and bool(program.model.jit_compile)
        right = path == "keras" and all(type(x).__module__.startswith("keras.") for x in layers)
        cudnn = _uses_cudnn(program.model, hp, backend) if device == "gpu" else False
    if not right:
        kinds = ", ".join(sorted({type(layer).__name__ for layer in layers})) or "no layers"
        raise RuntimeError(f"path {path} was asked for, and {kinds} run, xla {xla}")
    return {"path": path, "xla": xla, "cudnn": cudnn}


def _uses_cudnn(model: keras.Model, hp: Hyperparameters, backend: str) -> bool | None:
    """Whether the model's forward pass, traced, calls cuDNN's recurrent kernels."""
    words = np.zeros((hp.batch_size, hp.sequence_length), np.int32)
    if backend == "tensorflow":
        import tensorflow as tf

        traced = tf.function(lambda x: model(x, training=True)).get_concrete_function(words)
        graph = traced.graph.as_graph_def()
        nodes = [*graph.node, *(n for f in graph.library.function for n in f.node_def)]
        return any(node.op.startswith("CudnnRNN") for node in nodes)
    if backend == "jax":
        import jax

        return "rnn_fwd" in str(jax.make_jaxpr(lambda x: model(x, training=False))(words))
    return None


def _assert_device(device: str, backend: str) -> None:
    """Raises RuntimeError if the backend does not run on the device."""
    if backend == "tensorflow":
        import tensorflow as tf

        seen = "gpu" if tf.config.list_logical_devices("GPU") else "cpu"
    elif backend == "jax":
        import jax

        seen = "cpu" if jax.default_backend() == "cpu" else "gpu"
    else:
        import torch

        seen = "gpu" if torch.cuda.is_available() else "cpu"
    if seen != device:
        raise RuntimeError(f"device {device} was asked for, and {backend} runs on the {seen}")


@lru_cache
def matmul_gflops(device: str) -> float:
    """10**9 operations per second in a large float32 product by this backend: the best of several.

    This is the most that a core (or GPU) reaches in practice, to compare with.
    """
    size, products = (8192, 8) if device == "gpu" else (1024, 4)
    a = keras.ops.ones((size, size), "float32") / size
    best = math.inf
    for _ in range(7):
        started = time.perf_counter()
        product = a
        for _ in range(products):
            product = keras.ops.matmul(product, a)
        float(keras.ops.convert_to_numpy(product[0, 0]))  # waits for the device
        best = min(best, time.perf_counter() - started)
    return products * 2 * size**3 / best / 1e9


class Machine:
    """How busy the machine was while something was measured."""

    def __init__(self) -> None:
        self._times = psutil.cpu_times()

    def since(self) -> dict[str, float | None]:
        """`load_1m` and `steal` since this object was made.

        `load_1m` is the mean number of processes that wanted to run in the last minute. `steal` is
        the share of all cores' time that the hypervisor gave to other machines; None if unknown.
        """
        now = psutil.cpu_times()
        total = sum(now) - sum(self._times)
        steal = getattr(now, "steal", None)
        return {
            "load_1m": os.getloadavg()[0],
            "steal": None if steal is None or total <= 0 else (steal - self._times.steal) / total,
        }


def reset_peak_rss() -> None:
    """Count the peak of resident memory from now on, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_rss_mb() -> float:
    """Peak resident memory in 2**20 bytes, since `reset_peak_rss` or the start of the process."""
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def peak_device_mb(device: str, backend: str) -> float | None:
    """Peak memory on the GPU in 2**20 bytes, counted by the backend; None on a CPU."""
    if device != "gpu":
        return None
    peak: Any
    if backend == "tensorflow":
        import tensorflow as tf

        peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    elif backend == "jax":
        import jax

        peak = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    else:
        import torch

        peak = torch.cuda.max_memory_allocated()
    return None if peak is None else float(peak) / 2**20


def _ignore(step: int, loss: float, seconds: float) -> None:
    """Ignores the progress within a block."""
