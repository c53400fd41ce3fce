"""Counters of the energy used, where the machine has them and allows reading. No Keras."""

import contextlib
from collections.abc import Callable
from pathlib import Path

RAPL = Path("/sys/class/powercap")

Counter = Callable[[], float]  # joules since some moment


def counter(device: str, rapl: Path = RAPL) -> Counter | None:
    """A counter of the joules that `device` ("cpu" or "gpu") has used; None if there is none.

    For a CPU it is RAPL by Intel or AMD, which counts whole processor packages with all their
    cores. It starts again from 0 at about 60 kJ, so ignore a difference below zero. For a GPU it
    is NVML (package nvidia-ml-py), which counts the first visible GPU.
    """
    return _nvml() if device == "gpu" else _rapl(rapl)


def _rapl(folder: Path) -> Counter | None:
    # intel-rapl:0 is a package; intel-rapl:0:1 is a part of it, already counted there.
    files = [p / "energy_uj" for p in sorted(folder.glob("*-rapl:*")) if p.name.count(":") == 1]

    def joules() -> float:
        return sum(int(file.read_text()) for file in files) / 1e6

    with contextlib.suppress(OSError, ValueError):
        if files and joules() >= 0:
            return joules
    return None


def _nvml() -> Counter | None:
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    except Exception:  # no package, no driver, or a GPU that does not count
        return None
    return lambda: float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
