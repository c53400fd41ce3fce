"""The XLA settings that the paths rely on. No Keras, no TensorFlow: they must come before them.

XLA:CPU runs a loop's body as a list of kernels and library calls, each dispatched at about half a
microsecond. A loop that touches fewer bytes an iteration than a threshold becomes one native kernel
instead, matrix products included. With a handful of units that is up to 1.4 times faster; with more
its matrix products, compiled plainly instead of taken from a library, make it several times slower.
So the threshold is set out of the way, and each loop says for itself what it wants
(`harness.training.recurrent.scan`). Two more settings: LLVM's loop unrolling only costs here
(without it compiling takes a fifth less and steps up to a fifth less), and vectors of 512 bits,
where the processor has them, gain 3 to 10 %.
"""

import os

_OPTIONS = "--xla_backend_extra_options="
_THRESHOLD = "xla_cpu_small_while_loop_byte_threshold"
_NO_UNROLLING = "xla_cpu_disable_loop_unrolling"
_VECTORS = "--xla_cpu_prefer_vector_width="


def xla_flags(current: str = "") -> str:
    """The value for the environment variable XLA_FLAGS, given its `current` one.

    What a user set stays and wins.
    """
    flags = current.split()
    options = [flag for flag in flags if flag.startswith(_OPTIONS)]
    flags = [flag for flag in flags if flag not in options]
    if _VECTORS not in current:
        flags.append(f"{_VECTORS}512")
    # One flag for all backend options: given twice, the last would replace the first.
    values = [flag.removeprefix(_OPTIONS) for flag in options]
    if _THRESHOLD not in current:
        values.append(f"{_THRESHOLD}={64 * 2**20}")
    if _NO_UNROLLING not in current:
        values.append(_NO_UNROLLING)
    return " ".join([*flags, _OPTIONS + ",".join(values)])


def set_xla_flags() -> None:
    """Set XLA_FLAGS for this process. XLA reads it when it compiles for the first time."""
    os.environ["XLA_FLAGS"] = xla_flags(os.environ.get("XLA_FLAGS", ""))
