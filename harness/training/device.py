"""Where trainings run: on the CPU or on a GPU."""

import contextlib
from typing import Any

from harness.core.errors import UserError


def resolve(device: str, backend: str) -> str:
    """`auto` becomes `gpu` where TensorFlow sees one, else `cpu`. Raises UserError."""
    if device not in ("auto", "cpu", "gpu"):
        raise UserError(f"device: {device!r} is not one of auto, cpu, gpu")
    if backend != "tensorflow":
        return "cpu" if device == "auto" else device
    import tensorflow as tf

    found = bool(tf.config.list_physical_devices("GPU"))
    if device == "gpu" and not found:
        raise UserError("device: TensorFlow sees no GPU; install tensorflow[and-cuda] or use cpu")
    return "gpu" if found and device != "cpu" else "cpu"


def placement(device: str, backend: str) -> contextlib.AbstractContextManager[Any]:
    """A block in which TensorFlow computes on the device that `resolve` has chosen."""
    if backend != "tensorflow" or device != "cpu":
        return contextlib.nullcontext()
    import tensorflow as tf

    on_cpu: contextlib.AbstractContextManager[Any] = tf.device("/CPU:0")
    return on_cpu
