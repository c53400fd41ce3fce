"""The XLA settings that the paths need on TensorFlow and JAX, to be set before XLA compiles.

XLA:CPU runs the body of a loop as a list of kernels and library calls; each costs about half a
microsecond. A loop that uses fewer bytes in an iteration than a threshold becomes one native kernel
instead, including its matrix products. With very few units this is up to 1.4 times faster. With
more units it is several times slower, because the matrix products do not come from a library.
So the threshold is set very high, and each loop chooses for itself
(`harness.training.recurrent.scan`).

Two more settings: without LLVM's loop unrolling, compiling takes a fifth less time, and steps up to
a fifth less. Vectors of 512 bits, where the processor has them, save 3 to 10 %.
"""

import os

_OPTIONS = "--xla_backend_extra_options="
_THRESHOLD = "xla_cpu_small_while_loop_byte_threshold"
_NO_UNROLLING = "xla_cpu_disable_loop_unrolling"
_VECTORS = "--xla_cpu_prefer_vector_width="


def xla_flags(current: str = "") -> str:
    """The new value of the environment variable XLA_FLAGS, given the `current` one.

    Options that the user has set are not changed.
    """
    flags = current.split()
    options = [flag for flag in flags if flag.startswith(_OPTIONS)]
    flags = [flag for flag in flags if flag not in options]
    if _VECTORS not in current:
        flags.append(f"{_VECTORS}512")
    # One flag for all backend options: a second flag would replace the first.
    values = [flag.removeprefix(_OPTIONS) for flag in options]
    if _THRESHOLD not in current:
        values.append(f"{_THRESHOLD}={64 * 2**20}")
    if _NO_UNROLLING not in current:
        values.append(_NO_UNROLLING)
    return " ".join([*flags, _OPTIONS + ",".join(values)])


def set_xla_flags() -> None:
    """Set XLA_FLAGS for this process. XLA reads it when it compiles for the first time."""
    os.environ["XLA_FLAGS"] = xla_flags(os.environ.get("XLA_FLAGS", ""))
