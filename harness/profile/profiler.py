"""The coordinator of a profile: fresh processes measure, files keep it, figures are pooled.

No Keras here: `harness.workers.measuring` has what a process does.
"""

import hashlib
import itertools
import json
import os
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.core import environment
from harness.core.errors import UserError
from harness.datasets.base.signature import BINARY, Signature
from harness.profile import scaling
from harness.results import records
from harness.spec import counts
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import BACKENDS
from harness.training.recurrent import PATHS
from harness.workers import spread
from harness.workers.local import LocalPool, Settings, visible_gpus
from harness.workers.messages import Died, Failed, Measure, Measurement

SCHEMA = 1
TIMEOUT_S = 900.0  # for one configuration in one process; beyond, it hangs
WAIT_S = 1.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What is measured: hyperparameters, and what trains them where.

    `path` forces an execution path, None leaves it to `choose_path`. `arms` names the arms of a
    study whose best configuration this is; they change nothing in what is measured.
    """

    hyperparameters: Hyperparameters
    backend: str = "tensorflow"
    device: str = "cpu"
    path: str | None = None
    threads: int = 1
    signature: Signature = BINARY
    arms: tuple[str, ...] = field(default=(), compare=False)

    def to_mapping(self) -> dict[str, Any]:
        """What decides the figures, as plain JSON values."""
        return {
            **self.hyperparameters.to_mapping(),
            "backend": self.backend,
            "device": self.device,
            "path": self.path,
            "threads": self.threads,
            **_sides(self.signature),
        }

    def __str__(self) -> str:
        hp = self.hyperparameters
        units = "-".join(map(str, hp.units_per_layer)) if isinstance(hp.units, tuple) else hp.units
        forced = f" {self.path}" if self.path else ""
        return (
            f"{hp.cell} depth {hp.depth} units {units} length {hp.sequence_length} "
            f"batch {hp.batch_size} {self.backend} {self.device}{forced}"
        )


@dataclass(frozen=True)
class Effort:
    """How many fresh processes, and seconds of training steps of each configuration in each."""

    processes: int
    seconds: float


FULL, SHORT, QUICK = Effort(5, 2.0), Effort(2, 1.0), Effort(1, 1.0)


class Measurements:
    """What processes have measured: a JSON line each in one file, of one machine only.

    Lines of another machine, other versions or another commit are moved aside, never pooled.
    """

    def __init__(self, file: Path, machine: str, say: Say) -> None:
        self._file = file
        self._machine = machine
        self.lines: list[dict[str, Any]] = []
        lines = list(_json_lines(file))
        if any(line["machine"] != machine for line in lines):
            number = 1
            while (aside := file.with_name(f"{file.stem}.old-{number}.jsonl")).exists():
                number += 1
            file.rename(aside)
            say(f"earlier measurements are of another machine or version: now in {aside}")
        else:
            self.lines = lines

    def has(self, configuration: Configuration, effort: Effort, process: int) -> bool:
        return any(
            line["process"] == process for line in self._of(configuration, effort, process + 1)
        )

    def of(self, configuration: Configuration, effort: Effort) -> list[dict[str, Any]]:
        """Figures of the first `effort.processes` processes."""
        return [line["figures"] for line in self._of(configuration, effort, effort.processes)]

    def add(
        self,
        configuration: Configuration,
        effort: Effort,
        process: int,
        figures: Mapping[str, Any],
    ) -> None:
        line = {
            "machine": self._machine,
            "configuration": configuration.to_mapping(),
            "seconds": effort.seconds,
            "process": process,
            "figures": dict(figures),
        }
        # As it will be read again: tuples become lists.
        self.lines.append(json.loads(records.to_json(line)))
        text = "".join(records.to_json(line, indent=None) + "\n" for line in self.lines)
        records.write_atomically(self._file, text)

    def _of(
        self, configuration: Configuration, effort: Effort, processes: int
    ) -> list[dict[str, Any]]:
        asked = json.loads(json.dumps(configuration.to_mapping()))
        return [
            line
            for line in self.lines
            if line["configuration"] == asked
            and line["seconds"] == effort.seconds
            and line["process"] < processes
        ]


def devices_here() -> list[str]:
    return ["cpu", "gpu"] if visible_gpus() else ["cpu"]


def grid(
    *,
    cells: Sequence[str],
    depths: Sequence[int],
    units: Sequence[int],
    lengths: Sequence[int],
    batches: Sequence[int],
    backends: Sequence[str] = ("tensorflow",),
    devices: Sequence[str] = ("cpu",),
    path: str | None = None,
    threads: int = 1,
) -> list[Configuration]:
    """Every combination, backends and devices outermost. Raises UserError for bad values."""
    return [
        Configuration(
            hyperparameters=Hyperparameters(
                cell=cell, depth=depth, units=unit, sequence_length=length, batch_size=batch
            ),
            backend=backend,
            device=device,
            path=path,
            threads=threads,
        )
        for backend, device, cell, unit, length, batch, depth in itertools.product(
            backends, devices, cells, units, lengths, batches, depths
        )
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
        if configuration.path not in (None, "keras") and (backend, device) != ("tensorflow", "cpu"):
            raise UserError(
                f"path {configuration.path} is TensorFlow's on a CPU; "
                f"{backend} on a {device} has only keras"
            )


def profile(
    configurations: Sequence[Configuration], folder: Path, effort: Effort, say: Say
) -> dict[str, Any]:
    """Measure what is not on file in `folder`, and pool: the object of profile.json.

    Each of `effort.processes` fresh worker processes a backend and device, pinned to a core of its
    own, measures every configuration in turn, each process beginning with another one. What was
    measured is kept at once: stopped at any moment, the same call goes on. Raises UserError where
    nothing could be measured.
    """
    configurations = _unique(configurations)
    check(configurations)
    described = _environment()
    measurements = Measurements(folder / "measurements.jsonl", _identity(described), say)
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
                say(f"[{_done(measurements, configurations, effort)}/{total}] {text}")

            if missing:
                logs = folder / "logs"
                _measure(missing, process, effort, measurements, failed, logs, tell)
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
        "created": records.now(),
        "processes": effort.processes,
        "seconds": effort.seconds,
        "entries": entries,
        "scaling": [fit.to_mapping() for fit in scaling.fits(entries)],
        "failed": [{"configuration": name, "reason": why} for name, why in failed.items()],
        "environment": {**described, **_disturbance(figures)},
    }


def entry(configuration: Configuration, processes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One entry of profile.json: the figures of several processes pooled.

    Times of blocks are pooled as they are; of figures that a process has once the median is
    given; the peak of resident memory is the smallest, since a process also holds what it measured
    before. `gflops` counts matrix products only (`arithmetic.flops_per_step`).
    """
    hp, signature = configuration.hyperparameters, configuration.signature
    step_ms = spread.pooled([ms for each in processes for ms in each["block_ms"]])
    flops = counts.flops_per_step(hp, signature)
    iterations = counts.recurrence_iterations(hp)
    gflops = flops / step_ms["median"] / 1e6
    matmul = _median(processes, "matmul_gflops")
    first = processes[0]
    memory = [each["peak_device_mb"] for each in processes if each["peak_device_mb"] is not None]
    return {
        "cell": hp.cell,
        "depth": hp.depth,
        "units": list(hp.units) if isinstance(hp.units, tuple) else hp.units,
        "sequence_length": hp.sequence_length,
        "batch_size": hp.batch_size,
        "backend": configuration.backend,
        "device": configuration.device,
        "path": first["path"],
        "step_ms": step_ms,
        "compile_s": _median(processes, "compile_s"),
        "parameters": counts.parameters(hp, signature),
        "flops_per_step": flops,
        "peak_rss_mb": min(float(each["peak_rss_mb"]) for each in processes),
        "evaluation_ms": spread.pooled([ms for each in processes for ms in each["evaluation_ms"]]),
        "epoch_s": _median(processes, "epoch_s"),
        "epoch_steps": first["epoch_steps"],
        "evaluation_steps": first["evaluation_steps"],
        "import_s": _median(processes, "import_s"),
        "build_s": _median(processes, "build_s"),
        "gflops": gflops,
        "matmul_gflops": matmul,
        "matmul_share": None if not matmul else gflops / matmul,
        "us_per_iteration": step_ms["median"] * 1000.0 / iterations if iterations else None,
        "peak_device_mb": max(memory, default=None),
        "joules_per_step": _median(processes, "joules_per_step"),
        "xla": first["xla"],
        "cudnn": first["cudnn"],
        "processes": len(processes),
        "measured_longer": any(each["measured_longer"] for each in processes),
        "threads": configuration.threads,
        **_sides(signature),
        "bidirectional": hp.bidirectional,
        "embedding_dim": hp.embedding_dim,
        "vocabulary": hp.vocabulary,
        "dropout": hp.dropout,
        "arms": list(configuration.arms),
    }


def _sides(signature: Signature) -> dict[str, int]:
    """A signature as plain JSON values; what is 0, as of classes of texts, is left out."""
    extra = {"features": signature.features, "steps": signature.steps}
    return {"classes": signature.classes, **{name: n for name, n in extra.items() if n}}


def write(profiled: Mapping[str, Any], file: Path, table: Path) -> None:
    """profile.json, and the same entries as CSV: nested figures as `step_ms_median` and so on."""
    import pandas as pd

    rows = [
        {
            **{key: value for key, value in one.items() if not isinstance(value, dict | list)},
            **{
                f"{key}_{name}": number
                for key, value in one.items()
                if isinstance(value, dict)
                for name, number in value.items()
            },
            "units": "-".join(map(str, one["units"]))
            if isinstance(one["units"], list)
            else one["units"],
            "arms": " ".join(one["arms"]),
        }
        for one in profiled["entries"]
    ]
    records.write_atomically(file, records.to_json(profiled))
    records.write_atomically(table, records.to_csv(pd.DataFrame(rows)))


def _measure(
    configurations: Sequence[Configuration],
    process: int,
    effort: Effort,
    measurements: Measurements,
    failed: dict[str, str],
    logs: Path,
    say: Say,
) -> None:
    """One fresh worker process measures these, all of one backend, device and thread count."""
    one = configurations[0]
    settings = Settings(backend=one.backend, device=one.device, threads=one.threads, path=None)
    with LocalPool(1, settings, logs) as pool:
        for configuration in configurations:
            name = str(configuration)
            pool.send(
                0,
                Measure(
                    name, configuration.hyperparameters, configuration.signature,
                    configuration.path, effort.seconds,
                ),
            )  # fmt: skip
            answer = _answer(pool)
            if isinstance(answer, Measurement):
                measurements.add(configuration, effort, process, answer.figures)
                step = statistics.median(answer.figures["block_ms"])
                say(f"{name}: {step:.3g} ms a step (process {process + 1} of {effort.processes})")
                continue
            failed[name] = answer.reason if isinstance(answer, Failed) else f"died: {answer.how}"
            say(f"{name}: failed: {failed[name]}")
            if isinstance(answer, Died):
                pool.replace(0)


def _answer(pool: LocalPool) -> Measurement | Failed | Died:
    waited = 0.0
    while waited < TIMEOUT_S:
        for _, message in pool.wait(WAIT_S):
            if isinstance(message, Measurement | Failed | Died):
                return message
        waited += WAIT_S
    return Died(f"no answer within {TIMEOUT_S:.0f} s")


def _unique(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Each once; one that several arms chose names them all."""
    found: dict[Configuration, tuple[str, ...]] = {}
    for each in configurations:
        found[each] = (*found.get(each, ()), *each.arms)
    return [
        Configuration(**{**vars(each), "arms": tuple(dict.fromkeys(arms))})
        for each, arms in found.items()
    ]


def _groups(configurations: Sequence[Configuration]) -> list[list[Configuration]]:
    """What one process can measure: equal backend, device and number of threads."""
    groups: dict[tuple[str, str, int], list[Configuration]] = {}
    for each in configurations:
        groups.setdefault((each.backend, each.device, each.threads), []).append(each)
    return list(groups.values())


def _done(
    measurements: Measurements, configurations: Iterable[Configuration], effort: Effort
) -> int:
    return sum(len(measurements.of(each, effort)) for each in configurations)


def _median(processes: Sequence[Mapping[str, Any]], name: str) -> float | None:
    values = [float(each[name]) for each in processes if each.get(name) is not None]
    return statistics.median(values) if values else None


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
    """Load and steal while the figures were taken: medians, and the worst."""
    found: dict[str, Any] = {}
    for name in ("load_1m", "steal"):
        values = [float(each[name]) for each in figures if each.get(name) is not None]
        found[name] = {"median": statistics.median(values), "max": max(values)} if values else None
    return found


def _identity(described: Mapping[str, Any]) -> str:
    """Equal where figures may be pooled: processor, system, versions, commit, affinity."""
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


def _json_lines(file: Path) -> Iterable[dict[str, Any]]:
    """Lines that are whole and have what is needed; a damaged one is measured again."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    needed = {"machine", "configuration", "seconds", "process", "figures"}
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and needed <= set(record):
            yield record
