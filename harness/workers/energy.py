"""Counters of consumed energy, where the machine has them and lets us read them. No Keras."""

import contextlib
from collections.abc import Callable
from pathlib import Path

RAPL = Path("/sys/class/powercap")

Counter = Callable[[], float]  # joules since some moment


def counter(device: str, rapl: Path = RAPL) -> Counter | None:
    """What counts the joules of `device` ("cpu" or "gpu"); None where nothing does.

    A CPU's are Intel's or AMD's RAPL: of whole processor packages, all their cores included. They
    begin anew at some 60 kJ: a difference below zero is to be thrown away. A GPU's come from NVML
    (package nvidia-ml-py), of the first visible GPU.
    """
    return _nvml() if device == "gpu" else _rapl(rapl)


def _rapl(folder: Path) -> Counter | None:
    # intel-rapl:0 is a package; intel-rapl:0:1 a part of one, contained in its figure.
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
    except Exception:  # no package, no driver, or a GPU that does not count: all the same here
        return None
    return lambda: float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
