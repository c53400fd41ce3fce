"""What is measured, for how long, and the file of measurements."""

import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core import files
from harness.core.shapes import NUMBER, mismatch
from harness.datasets.base.signature import BINARY, FIELDS, Signature
from harness.spec.hyperparameters import Hyperparameters

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What is measured: hyperparameters, and the backend and device that train them.

    `path` forces an execution path; None leaves it to `choose_path`. `arms` names the arms of a
    study of which this is the best configuration. It does not affect the measurement.
    """

    hyperparameters: Hyperparameters
    backend: str = "tensorflow"
    device: str = "cpu"
    path: str | None = None
    threads: int = 1
    signature: Signature = BINARY
    arms: tuple[str, ...] = field(default=(), compare=False)

    def to_mapping(self) -> dict[str, Any]:
        """Everything that affects the figures, as plain JSON values."""
        return {
            **self.hyperparameters.to_mapping(),
            "backend": self.backend,
            "device": self.device,
            "path": self.path,
            "threads": self.threads,
            **signature_fields(self.signature),
        }

    def __str__(self) -> str:
        hp = self.hyperparameters
        units = "-".join(map(str, hp.units_per_layer)) if isinstance(hp.units, tuple) else hp.units
        options = "".join(f" {name} {value}" for name, value in hp.options.items())
        forced = f" {self.path}" if self.path else ""
        return (
            f"{hp.cell} depth {hp.depth} units {units} length {hp.sequence_length} "
            f"batch {hp.batch_size}{options} {self.backend} {self.device}{forced}"
        )


@dataclass(frozen=True)
class Effort:
    """How many fresh processes measure, and seconds of training steps for each configuration.

    `warm`: instead of a fresh process, a worker that has trained measures, on programs for splits
    of the study's own sizes. Once `limit_s` seconds are over, what is not measured yet is left out.
    """

    processes: int
    seconds: float
    warm: bool = False
    limit_s: float = math.inf


FULL, SHORT, QUICK = Effort(5, 2.0), Effort(2, 1.0), Effort(1, 1.0)
WARM, QUICK_WARM = Effort(1, 2.0, warm=True), Effort(1, 0.5, warm=True)


_LINE: dict[str, Any] = {
    "machine": str,
    "configuration": dict,
    "seconds": NUMBER,
    "process": int,
    "figures": {
        "block_ms": [NUMBER],
        "evaluation_ms": [NUMBER],
        "path": str,
        **dict.fromkeys(("epoch_steps", "evaluation_steps"), int),
        **dict.fromkeys(("import_s", "build_s", "compile_s", "peak_rss_mb"), NUMBER),
        **dict.fromkeys(("xla", "cudnn", "measured_longer"), bool),
    },
}


class Measurements:
    """The measurements of one machine: a file with one JSON line for each.

    If the file is of another machine, other versions or another commit, it is renamed and not
    used.
    """

    def __init__(self, file: Path, machine: str, notify: Say) -> None:
        self._file = file
        self._machine = machine
        self.lines: list[dict[str, Any]] = []
        lines = list(_json_lines(file))
        if any(line["machine"] != machine for line in lines):
            names = (f"{file.stem}.old-{n}.jsonl" for n in itertools.count(1))
            aside = files.move_aside(file, names)
            notify(f"earlier measurements are of another machine or version: now in {aside}")
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
            "warm": effort.warm,
            "process": process,
            "figures": dict(figures),
        }
        # As it will be read later: tuples become lists.
        self.lines.append(json.loads(files.to_json(line)))
        text = "".join(files.to_json(files.sealed(line), indent=None) + "\n" for line in self.lines)
        files.write_atomically(self._file, text)

    def _of(
        self, configuration: Configuration, effort: Effort, processes: int
    ) -> list[dict[str, Any]]:
        asked = json.loads(json.dumps(configuration.to_mapping()))
        return [
            line
            for line in self.lines
            if line["configuration"] == asked
            and line["seconds"] == effort.seconds
            and line.get("warm", False) == effort.warm
            and line["process"] < processes
        ]


def signature_fields(signature: Signature) -> dict[str, int]:
    """A signature as plain JSON values; what is as in most studies is left out."""
    plain = Signature(classes=signature.classes)
    given = {name: getattr(signature, name) for name in FIELDS}
    extra = {name: value for name, value in given.items() if value != getattr(plain, name)}
    return {"classes": signature.classes, **extra}


def _json_lines(file: Path) -> Iterable[dict[str, Any]]:
    """The lines that are complete; what a damaged line had is measured again."""
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        record = files.parse_object(line)
        if record and files.is_intact(record) and mismatch(record, _LINE) is None:
            yield record
