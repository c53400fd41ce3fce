"""What `harness log` tells other tools of a study: one run for each trial and each replicate.

Read from the run directory, so a study that is still running can be told as well.
"""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.core.metrics import BITS, MAE, R2, Metric
from harness.core.scalars import as_python, missing
from harness.results.records import EPOCH_COLUMNS, MEASURE, Records

if TYPE_CHECKING:
    import pandas as pd

ENDED = ("complete", "pruned", "failed")  # the states of a training that changes no more
_NAMES = {R2: "r2", MAE: "mae", BITS: "bits_per_character"}


@dataclass(frozen=True)
class Epoch:
    """The figures of one epoch, counted from 1; `at_s` is when it ended, in seconds since 1970."""

    number: int
    at_s: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class LoggedRun:
    """One training: a trial or a replicate.

    `key` names it within its study: `trials/depth=2/search=1/0007`. `final` has the figures of the
    whole training; it is empty until that has ended. Times are in seconds since 1970.
    """

    key: str
    kind: str
    arm: str
    search: int
    state: str
    reason: str
    started_s: float
    finished_s: float | None
    params: Mapping[str, Any]
    final: Mapping[str, float]
    epochs: tuple[Epoch, ...]

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def end(self) -> tuple[int, float]:
        """The number of the last epoch, or 0, and the time of the training's end so far."""
        step, at_s = (self.epochs[-1].number, self.epochs[-1].at_s) if self.epochs else (
            0, self.started_s
        )  # fmt: skip
        return step, self.finished_s or at_s


@dataclass(frozen=True)
class Told:
    """How many runs are new in the other tool, were updated, or were there as a whole."""

    new: int = 0
    updated: int = 0
    skipped: int = 0

    def __str__(self) -> str:
        return f"{self.new} new, {self.updated} updated, {self.skipped} skipped (there already)"


def identity(records: Records) -> str:
    """What tells this study from all others, also from one of the same name made by `--fresh`."""
    manifest = records.manifest
    text = f"{manifest.fingerprint or manifest.study} {manifest.created or ''}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def runs_of(records: Records) -> Iterator[LoggedRun]:
    """Every trial, then every replicate with those of the baselines, by arm, search and number."""
    yield from _of_table(records, "trial", records.trials, records.epochs)
    yield from _of_table(records, "replicate", records.replicates, records.replicate_epochs)


def metric_name(metric: Metric) -> str:
    """A metric as a part of a name: accuracy, balanced_accuracy, r2, mae."""
    return _NAMES.get(metric.name, metric.name.replace(" ", "_"))


def _of_table(
    records: Records, kind: str, trainings: "pd.DataFrame", epochs: "pd.DataFrame"
) -> Iterator[LoggedRun]:
    keys = ["arm", "search", kind]
    by_training = dict(iter(epochs.groupby(keys, sort=False)))
    for _, row in trainings.iterrows():
        arm, search, number = str(row["arm"]), int(row["search"]), int(row[kind])
        started = _seconds(row["started"])
        lines = _epochs(records, by_training.get((arm, search, number)), started)
        state = str(row["state"])
        last = f"{number:04d}" if kind == "trial" else f"seed={number}"
        yield LoggedRun(
            key=f"{kind}s/{arm}/search={search}/{last}",
            kind=kind,
            arm=arm,
            search=search,
            state=state,
            reason="" if _missing(row["reason"]) else str(row["reason"]),
            started_s=started,
            finished_s=None if _missing(row["finished"]) else _seconds(row["finished"]),
            params=_params(records, row, arm),
            final=_final(records, row) if state in ENDED else {},
            epochs=lines,
        )


def _params(records: Records, row: "pd.Series[Any]", arm: str) -> dict[str, Any]:
    """All hyperparameters: fixed ones, the arm's own, and those that were searched."""
    searched = {
        str(name).removeprefix("params_"): as_python(value)
        for name, value in row.items()
        if str(name).startswith("params_") and not _missing(value)
    }
    of_arm = records.manifest.arm_values.get(arm)
    if of_arm is None:  # a baseline has a network of its own
        return searched
    return {**records.manifest.fixed, **of_arm, **searched}


def _final(records: Records, row: "pd.Series[Any]") -> dict[str, float]:
    validated = metric_name(records.validation_metric)
    scored = row.get("split")
    split = records.scored_split if _missing(scored) else str(scored)
    names = {
        "value": "val_loss",
        "val_accuracy": f"val_{validated}",
        "scored_accuracy": f"{split}_{metric_name(records.metric)}",
        "scored_loss": f"{split}_loss",
        **{name: name for name in ("best_epoch", "parameters", "step_ms", "train_s")},
        **{str(n): f"{split}_{n.removeprefix(MEASURE)}" for n in row.index if MEASURE in str(n)},
    }
    found = {new: row[old] for old, new in names.items() if old in row.index}
    return {f"final/{name}": float(value) for name, value in found.items() if not _missing(value)}


def _epochs(records: Records, rows: "pd.DataFrame | None", started_s: float) -> tuple[Epoch, ...]:
    """The epochs in order; each ended when the times of all before it were over."""
    if rows is None:
        return ()
    validated = metric_name(records.validation_metric)
    names = [name for name in EPOCH_COLUMNS if EPOCH_COLUMNS[name] == "float64"]
    found, at_s = [], started_s
    for _, row in rows.sort_values("epoch").iterrows():
        figures = {name: float(row[name]) for name in names if not _missing(row[name])}
        at_s += sum(figures.get(name, 0.0) for name in ("train_s", "validation_s", "compile_s"))
        metrics = {name.replace("accuracy", validated): value for name, value in figures.items()}
        found.append(Epoch(int(row["epoch"]), at_s, metrics))
    return tuple(found)


def _seconds(text: Any) -> float:
    """ISO 8601 as seconds since 1970; 0 where there is no time, as while a training begins."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def _missing(value: Any) -> bool:
    """Infinite numbers are left out as well: no other tool draws them."""
    return missing(value) or (isinstance(value, float) and math.isinf(value))
