"""The coordinator of a profile: fresh processes measure, a file keeps that, figures are pooled.

No Keras: `harness.workers.timing` is what a process does.
"""

import hashlib
import itertools
import json
import os
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.core import environment, files
from harness.core.errors import UserError
from harness.profile import scaling
from harness.profile.entries import entry
from harness.profile.measurements import Configuration, Effort, Measurements, Say
from harness.spec.choices import BACKENDS, check_path
from harness.spec.hyperparameters import Hyperparameters
from harness.training.recurrent import PATHS
from harness.workers.local import LocalPool, Settings, visible_gpus
from harness.workers.messages import Died, Failed, Measure, Measurement, Unable

SCHEMA = 1
TIMEOUT_S = 900.0  # for one configuration in one process; after that it counts as dead
WAIT_S = 1.0
LEFT_OUT = (
    "left out, because the profile at the end may take a fifth of the study's time; "
    "python -m harness.profile measures it"
)


def devices_here() -> list[str]:
    return ["cpu", "gpu"] if visible_gpus() else ["cpu"]


def grid(
    values: Mapping[str, Sequence[Any]],
    *,
    backends: Sequence[str] = ("tensorflow",),
    devices: Sequence[str] = ("cpu",),
    path: str | None = None,
    threads: int = 1,
) -> list[Configuration]:
    """Every combination of `values`: hyperparameters by name, each with a list of its values.

    Backends and devices change slowest, the last hyperparameter fastest. Raises UserError for
    unknown names and bad values.
    """
    return [
        Configuration(
            hyperparameters=Hyperparameters.from_mapping(dict(zip(values, chosen, strict=True))),
            backend=backend,
            device=device,
            path=path,
            threads=threads,
        )
        for backend, device, *chosen in itertools.product(backends, devices, *values.values())
    ]


def check(configurations: Iterable[Configuration]) -> None:
    """Raises UserError for what can't be measured on this machine."""
    for configuration in configurations:
        backend, device = configuration.backend, configuration.device
        if backend not in BACKENDS:
            raise UserError(f"backend: {backend!r} is not one of {', '.join(BACKENDS)}")
        if find_spec(backend) is None:
            raise UserError(
                f"backend {backend} is not installed; pip install {backend}, or leave it out"
            )
        if device not in ("cpu", "gpu"):
            raise UserError(f"device: {device!r} is not one of cpu, gpu")
        if device == "gpu" and "gpu" not in devices_here():
            raise UserError("device gpu: this machine shows no NVIDIA GPU; use --device cpu")
        if configuration.path not in (None, *PATHS):
            raise UserError(f"path: {configuration.path!r} is not one of {', '.join(PATHS)}")
        check_path(configuration.path, backend)
        if configuration.path not in (None, "keras") and (backend, device) == ("tensorflow", "gpu"):
            raise UserError(
                f"path {configuration.path}: TensorFlow on a GPU has only keras; "
                "use --device cpu or --backend jax"
            )


@dataclass(frozen=True)
class Warm:
    """Workers that have just trained, the first of which measures.

    `rows` are the sizes of the study's training and validation splits.
    """

    pool: LocalPool
    rows: tuple[int, int]


def profile(
    configurations: Sequence[Configuration],
    folder: Path,
    effort: Effort,
    notify: Say,
    warm: Warm | None = None,
) -> dict[str, Any]:
    """Measure what is not in the file in `folder` yet, and pool it: the object of profile.json.

    For each backend and device, `effort.processes` fresh worker processes, each on its own core,
    measure all configurations; each process begins with another one. With `warm`, its worker does
    it instead. Each measurement is saved at once, so that the same call continues after an
    interruption. Raises UserError if nothing could be measured.
    """
    configurations = _unique(configurations)
    check(configurations)
    began = time.monotonic()
    deadline = began + effort.limit_s
    described = _environment()
    measurements = Measurements(folder / "measurements.jsonl", _identity(described), notify)
    failed: dict[str, str] = {}
    total = len(configurations) * effort.processes
    for process in range(effort.processes):
        for group in _groups(configurations):
            start = process % len(group)
            missing = [
                each
                for each in [*group[start:], *group[:start]]
                if not measurements.has(each, effort, process) and str(each) not in failed
            ]

            def tell(text: str) -> None:
                notify(f"[{_done(measurements, configurations, effort)}/{total}] {text}")

            if not missing:
                continue
            session = _Session(missing, process, effort, measurements, failed, tell, deadline)
            if warm is not None:
                _measure(session, warm.pool, warm.rows)
                continue
            one = missing[0]
            settings = Settings(
                backend=one.backend, device=one.device, threads=one.threads, path=None
            )
            with LocalPool(1, settings, folder / "logs") as pool:
                _measure(session, pool, None)
    entries = [
        entry(each, figures)
        for each in configurations
        if (figures := measurements.of(each, effort))
    ]
    if not entries:
        raise UserError(
            f"nothing could be measured: {next(iter(failed.values()))}; {folder / 'logs'} has more"
        )
    figures = [f for each in configurations for f in measurements.of(each, effort)]
    return {
        "schema": SCHEMA,
        "created": files.now(),
        "processes": effort.processes,
        "seconds": effort.seconds,
        "warm": effort.warm,
        "took_s": time.monotonic() - began,
        "entries": entries,
        "scaling": [fit.to_mapping() for fit in scaling.fits(entries)],
        "failed": [{"configuration": name, "reason": why} for name, why in failed.items()],
        "environment": {**described, **_disturbance(figures)},
    }


@dataclass(frozen=True)
class _Session:
    """What one process measures, and where that goes."""

    configurations: Sequence[Configuration]
    process: int
    effort: Effort
    measurements: Measurements
    failed: dict[str, str]
    notify: Say
    deadline: float  # of time.monotonic()


def _measure(session: _Session, pool: LocalPool, rows: tuple[int, int] | None) -> None:
    """Measure in the pool's first worker; backend, device and threads are the same for all."""
    effort, failed = session.effort, session.failed
    for configuration in session.configurations:
        name = str(configuration)
        if time.monotonic() > session.deadline:
            if session.measurements.of(configuration, effort):
                continue  # fewer processes have measured it
            failed[name] = LEFT_OUT
            session.notify(f"{name}: {LEFT_OUT}")
            continue
        pool.send(
            0,
            Measure(
                name, configuration.hyperparameters, configuration.signature,
                configuration.path, effort.seconds, rows,
            ),
        )  # fmt: skip
        answer = _answer(pool, name)
        if isinstance(answer, Measurement):
            session.measurements.add(configuration, effort, session.process, answer.figures)
            step = statistics.median(answer.figures["block_ms"])
            by = "" if effort.warm else f" (process {session.process + 1} of {effort.processes})"
            session.notify(f"{name}: {step:.3g} ms per step{by}")
            continue
        failed[name] = answer.reason if isinstance(answer, Failed) else f"died: {answer.how}"
        session.notify(f"{name}: failed: {failed[name]}")
        if isinstance(answer, Died):
            pool.replace(0)


def _answer(pool: LocalPool, name: str) -> Measurement | Failed | Died:
    """The first worker's answer; others may still be starting, or have died since they trained."""
    waited = 0.0
    while waited < TIMEOUT_S:
        for worker, message in pool.wait(WAIT_S):
            if worker != 0:
                continue
            if isinstance(message, Unable):
                return Failed(name, message.reason)
            if isinstance(message, Died):
                return message
            if isinstance(message, Measurement | Failed) and message.task == name:
                return message
        waited += WAIT_S
    return Died(f"no answer within {TIMEOUT_S:.0f} s")


def _unique(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Each configuration once; if several arms chose it, with all their names."""
    found: dict[Configuration, tuple[str, ...]] = {}
    for each in configurations:
        found[each] = (*found.get(each, ()), *each.arms)
    return [
        Configuration(**{**vars(each), "arms": tuple(dict.fromkeys(arms))})
        for each, arms in found.items()
    ]


def _groups(configurations: Sequence[Configuration]) -> list[list[Configuration]]:
    """Groups for one process each: equal backend, device and number of threads."""
    groups: dict[tuple[str, str, int], list[Configuration]] = {}
    for each in configurations:
        groups.setdefault((each.backend, each.device, each.threads), []).append(each)
    return list(groups.values())


def _done(
    measurements: Measurements, configurations: Iterable[Configuration], effort: Effort
) -> int:
    return sum(len(measurements.of(each, effort)) for each in configurations)


def _environment() -> dict[str, Any]:
    return {
        **environment.describe(),
        "affinity": environment.available_cpus(),
        "governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "gpus": [
            _named(file) for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
        ],
        "gpu_driver": _first_line("/proc/driver/nvidia/version"),
        "dtype": "float32",
        "padding": "none: every position holds a word",
    }


def _disturbance(figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Load and steal during the measurements: medians and maxima."""
    found: dict[str, Any] = {}
    for name in ("load_1m", "steal"):
        values = [float(each[name]) for each in figures if each.get(name) is not None]
        found[name] = {"median": statistics.median(values), "max": max(values)} if values else None
    return found


def _identity(described: Mapping[str, Any]) -> str:
    """Equal if figures may be pooled: processor, system, versions, commit, affinity."""
    parts = {
        key: described[key]
        for key in ("python", "platform", "cpu", "packages", "gpus", "gpu_driver")
    }
    commit = (described["git"] or {}).get("commit")
    settings = [os.environ.get(name) for name in ("XLA_FLAGS", "TF_ENABLE_ONEDNN_OPTS")]
    text = json.dumps([parts, commit, settings, len(described["affinity"])], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _first_line(file: str) -> str | None:
    try:
        return Path(file).read_text().splitlines()[0].strip()
    except (OSError, IndexError):
        return None


def _named(file: Path) -> str:
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("Model")]
    return names[0] if names else "unknown"
