"""The backend of a study with `--backend auto`: the fastest one here, by measurements. No Keras.

The measurements are committed, a file for each device in `measured/`. On an idle machine
`tests/benchmarks/training_speed.py --records` makes them, with all backends in turn. So the choice
is a fixed rule: the same study gets the same backend, unless other backends are installed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.core.errors import UserError
from harness.core.text import duration
from harness.profile.estimate import estimate, hyperparameters_of
from harness.spec.choices import AUTO, BACKENDS, FLOAT32
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.spec.study import Study
from harness.training.recurrent import choose_path
from harness.workers.local import visible_gpus

DEFAULT = "tensorflow"
MEASURED = Path(__file__).with_name("measured")
# How far beyond the measured units and batch sizes times still hold. They grow evenly with the
# length of sequences and the number of layers.
REACH = 2.0
_NEEDED = {"jax": ("jax", "filelock")}  # its cache of programs needs the second one


@dataclass(frozen=True)
class Choice:
    """A backend, and in words why it was taken."""

    backend: str
    why: str


def resolved(study: Study, began: str | None = None) -> tuple[Study, str]:
    """The study on the backend that is meant, and why; the reason is empty if the study names it.

    `began` is the backend that the study began with: it keeps it. Raises UserError where the
    backend is not installed.
    """
    why = ""
    if study.backend == AUTO:
        choice = Choice(began, "the study began with it") if began else choose(study)
        study, why = replace(study, backend=choice.backend), choice.why
    check_installed(study.backend)
    return study, why


def check_installed(backend: str) -> None:
    """Raises UserError where a package that the backend needs is missing."""
    if missing := _missing(backend):
        others = [name for name in BACKENDS if not _missing(name)]
        instead = "leave --backend out" if DEFAULT in others else ""
        if not instead and others:
            instead = f"give --backend {' or '.join(others)}"
        raise UserError(
            f"backend {backend} is not installed; pip install {' '.join(missing)}"
            + (f", or {instead}" if instead else "")
        )


def _missing(backend: str) -> list[str]:
    """The packages of a backend that are not installed."""
    return [name for name in _NEEDED.get(backend, (backend,)) if find_spec(name) is None]


def choose(
    study: Study, *, device: str | None = None, installed: Sequence[str] | None = None
) -> Choice:
    """The backend that trains the study in the least time on one worker.

    `device` and `installed` are by default those of this machine. Where the study's shapes were not
    measured on two of the backends, it is the default.
    """
    device = device or expected_device(study)
    if installed is None:
        installed = [name for name in BACKENDS if not _missing(name)]
    if len(installed) == 1:
        return Choice(installed[0], "no other backend is installed")
    if study.model is not None:
        return _default("networks of your own were not measured")
    if study.path is not None:
        return _default("it measures no path but the fastest, and the study names one")
    if "step_ms" in study.hold:
        return _default("the units are not known before their step time is measured")
    ends = [hp for hp in study.extremes() if hp.cell != BAG]
    if not ends:
        return _default("only recurrent networks were measured")
    measured = _entries(device)
    covering = [name for name in installed if not _beyond(ends, measured.get(name, ()))]
    if DEFAULT not in covering or len(covering) < 2:
        known = {name: entries for name, entries in measured.items() if name in installed}
        if len(known) < 2 or DEFAULT not in known:
            return _default(f"on a {device} the installed backends were not measured")
        others = [name for name in known if name not in covering]
        return _default(f"{_beyond(ends, known[others[0]])} were not measured on a {device}")
    seconds = {}
    for name in covering:
        found = estimate(
            replace(study, backend=name), {"entries": measured[name]}, workers=1, device=device
        )
        assert found is not None  # it has entries, and networks that were measured
        seconds[name] = found.seconds
    # The default where another one is no faster.
    fastest = min(covering, key=lambda name: (seconds[name], name != DEFAULT))
    times = sorted(covering, key=lambda name: seconds[name])
    told = ", ".join(f"{name} {duration(seconds[name])}" for name in times)
    return Choice(fastest, f"the fastest by measurements on a {device}: on one worker {told}")


def _default(reason: str) -> Choice:
    return Choice(DEFAULT, f"the default, because {reason}")


def expected_device(study: Study) -> str:
    """Where the study will train, as far as the system's files say; no backend is asked."""
    if study.device != AUTO:
        return study.device
    return "gpu" if visible_gpus() else "cpu"


def _entries(device: str) -> dict[str, list[dict[str, Any]]]:
    """By backend, what was measured on the paths that trainings take, as entries of a profile."""
    found: dict[str, list[dict[str, Any]]] = {}
    for file in sorted(MEASURED.glob("*.json")):
        for record in json.loads(file.read_text(encoding="utf-8"))["records"]:
            if record["device"] == device and record["path"]:
                entry = _entry(record)
                hp = hyperparameters_of(entry)
                if record["path"] == choose_path(hp, device=device, backend=record["backend"]):
                    found.setdefault(record["backend"], []).append(entry)
    return found


def _entry(record: Mapping[str, Any]) -> dict[str, Any]:
    times = {name: {"median": record[name]} for name in ("step_ms", "evaluation_ms")}
    return {**record, **times, "build_s": 0.0, "bidirectional": False, "dropout": 0.0}


def _beyond(ends: Iterable[Hyperparameters], entries: Sequence[Mapping[str, Any]]) -> str:
    """What of these is too far from what was measured, in words; empty where nothing is."""
    for hp in ends:
        of_cell = [entry for entry in entries if entry["cell"] == hp.cell]
        units = [entry["units"] for entry in of_cell]
        sizes = [entry["batch_size"] for entry in of_cell]
        if hp.precision != FLOAT32:
            return f"networks in {hp.precision}"
        if not of_cell or not all(_within(n, units) for n in hp.units_per_layer):
            return f"{hp.cell} layers of {', '.join(map(str, hp.units_per_layer))} units"
        if not _within(hp.batch_size, sizes):
            return f"batches of {hp.batch_size}"
    return ""


def _within(value: int, measured: Sequence[int]) -> bool:
    return min(measured) / REACH <= value <= max(measured) * REACH
