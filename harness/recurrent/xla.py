"""The XLA setting that the paths rely on. No Keras, no TensorFlow: it must come before them.

XLA:CPU runs a loop's body as a list of kernels and calls, each dispatched at about half a
microsecond. A loop that touches fewer bytes an iteration than a threshold becomes one native
kernel instead, matrix products included. With a handful of units that is 1.4 times faster; with
more units its matrix products, compiled plainly instead of taken from a library, make it several
times slower. So the threshold is set out of the way, and each loop says for itself what it wants
(`harness.recurrent.scan`).
"""

import os

_THRESHOLD = "xla_cpu_small_while_loop_byte_threshold"
_OPTIONS = "--xla_backend_extra_options="


def xla_flags(current: str = "") -> str:
    """The value for the environment variable XLA_FLAGS, given its `current` one.

    What a user set stays; a threshold of the user's own wins.
    """
    if _THRESHOLD in current:
        return current
    setting = f"{_THRESHOLD}={64 * 2**20}"
    flags = current.split()
    for number, flag in enumerate(flags):
        if flag.startswith(_OPTIONS):  # given twice, the last would replace the first
            flags[number] = f"{flag},{setting}"
            return " ".join(flags)
    return " ".join([*flags, f"{_OPTIONS}{setting}"])


def set_xla_flags() -> None:
    """Set XLA_FLAGS for this process. XLA reads it when it compiles for the first time."""
    os.environ["XLA_FLAGS"] = xla_flags(os.environ.get("XLA_FLAGS", ""))
