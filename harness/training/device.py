"""Where trainings run: on the CPU or on a GPU."""

import contextlib
from collections.abc import Callable
from typing import Any

from harness.core.errors import UserError


def resolve(device: str, backend: str) -> str:
    """`auto` becomes `gpu` where TensorFlow or JAX sees one, else `cpu`. Raises UserError."""
    if device not in ("auto", "cpu", "gpu"):
        raise UserError(f"device: {device!r} is not one of auto, cpu, gpu")
    if backend not in _GPUS or device == "cpu":
        return "cpu" if device == "auto" else device
    name, package, found = _GPUS[backend]
    if found():
        return "gpu"
    if device == "gpu":
        raise UserError(f"device: {name} sees no GPU; install {package} or use cpu")
    return "cpu"


def placement(device: str, backend: str) -> contextlib.AbstractContextManager[Any]:
    """A block in which TensorFlow or JAX computes on the device that `resolve` has chosen."""
    on_cpu: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if device == "cpu" and backend == "tensorflow":
        import tensorflow as tf

        on_cpu = tf.device("/CPU:0")
    elif device == "cpu" and backend == "jax":
        import jax

        on_cpu = jax.default_device(jax.devices("cpu")[0])
    return on_cpu


def _tensorflow_has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _jax_has_gpu() -> bool:
    import jax

    return any(device.platform in ("gpu", "cuda", "rocm") for device in jax.devices())


# The backends that can be asked: their names, what brings them a GPU, and whether they have one.
_GPUS: dict[str, tuple[str, str, Callable[[], bool]]] = {
    "tensorflow": ("TensorFlow", "tensorflow[and-cuda]", _tensorflow_has_gpu),
    "jax": ("JAX", "jax[cuda12]", _jax_has_gpu),
}
