"""What a study ran on: versions, hardware, git state. No Keras."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

PACKAGES = (
    "rnn-depth-harness", "tensorflow", "keras", "keras-tuner", "optuna", "numpy", "pandas",
    "seaborn", "scipy", "jax", "torch", "ray",
)  # fmt: skip

# The environment variable that names the folder of compiled programs, or is `off`.
COMPILE_CACHE = "HARNESS_COMPILE_CACHE"


def describe() -> dict[str, Any]:
    """The environment, for the manifest; memory in GiB (2**30 bytes)."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": cpu_model(),
        "cores": len(available_cpus()),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "packages": versions(),
        "git": _git_state(Path(__file__).parent),
    }


def available_cpus() -> list[int]:
    """The logical CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def cpu_model() -> str:
    return _of_processor("model name") or platform.processor() or platform.machine()


def cpu_features() -> str:
    """The instruction sets of the processor, as the system lists them; empty where it does not."""
    return _of_processor("flags", "Features")


def _of_processor(*names: str) -> str:
    """What Linux says of the first processor under one of these names; empty elsewhere."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(names):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return ""


def versions() -> dict[str, str]:
    """The versions of packages that affect or show a study's numbers."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def _git_state(folder: Path) -> dict[str, Any] | None:
    """Commit, and whether the checkout differs from it; None for an installed package."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        # This package may be installed inside the checkout of another project.
        _git(folder, "ls-files", "--error-unmatch", "environment.py")
        return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10
    )
    return answer.stdout.strip()
