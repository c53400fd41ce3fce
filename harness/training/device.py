"""Where trainings run: on the CPU or on a GPU."""

import contextlib
from collections.abc import Callable
from typing import Any

from harness.core.errors import UserError


def resolve(device: str, backend: str) -> str:
    """`auto` becomes `gpu` where the backend sees one, else `cpu`. Raises UserError."""
    if device not in ("auto", "cpu", "gpu"):
        raise UserError(f"device: {device!r} is not one of auto, cpu, gpu")
    if device == "cpu":
        return device
    name, package, found = _GPUS[backend]
    if found():
        return "gpu"
    if device == "gpu":
        raise UserError(f"device: {name} sees no GPU; install {package} or use cpu")
    return "cpu"


def placement(device: str, backend: str) -> contextlib.AbstractContextManager[Any]:
    """A block in which the backend computes on the device that `resolve` has chosen."""
    on_cpu: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
    if device == "cpu" and backend == "tensorflow":
        import tensorflow as tf

        on_cpu = tf.device("/CPU:0")
    elif device == "cpu" and backend == "jax":
        import jax

        on_cpu = jax.default_device(jax.devices("cpu")[0])
    elif device == "cpu":
        import keras

        on_cpu = keras.device("cpu")
    return on_cpu


def _tensorflow_has_gpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _jax_has_gpu() -> bool:
    import jax

    return any(device.platform in ("gpu", "cuda", "rocm") for device in jax.devices())


def _torch_has_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


# The backends: their names, what brings them a GPU, and whether they have one.
_GPUS: dict[str, tuple[str, str, Callable[[], bool]]] = {
    "tensorflow": ("TensorFlow", "tensorflow[and-cuda]", _tensorflow_has_gpu),
    "jax": ("JAX", "jax[cuda12]", _jax_has_gpu),
    "torch": ("PyTorch", "a torch built for your GPU", _torch_has_gpu),
}
