"""A trial's files, and what the database says of it: each shows damage in the other. No Keras.

The database is the truth about trials. A result file that is lost or damaged is written again from
it. A result file that is whole and says something else shows that the database has changed.
"""

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from optuna.trial import FrozenTrial, TrialState

from harness.core import files
from harness.core.errors import UserError
from harness.results.records import numbered
from harness.results.training_folder import (
    METRICS,
    RESULT,
    STARTED,
    DamagedError,
    append_epoch,
    check_evidence,
    read_epochs,
    read_result,
    read_training,
    write_result,
    write_started,
)
from harness.search.assignment import Assignment
from harness.spec.study import Arm
from harness.training import checkpoint

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
}
# What is kept of a trial besides its value, in Optuna and in its result file.
ATTRIBUTES = ("val_accuracy", "best_epoch", "parameters", "step_ms", "train_s", "path", "seed")
OTHERS = ("reason", "worker", "group", "imported")


class Search(Protocol):
    """One search of an arm: harness.search.arm_search.ArmSearch."""

    arm: Arm
    search: int

    def trials(self) -> list[FrozenTrial]: ...
    def folder(self, number: int) -> Path: ...
    def shown_params(self, params: Mapping[str, Any]) -> dict[str, Any]: ...


def start_record(assignment: Assignment, group: list[int]) -> dict[str, Any]:
    """What is known of a trial when it begins; `group` are the trials that are trained at once."""
    return {
        **({"group": group} if len(group) > 1 else {}),
        "arm": assignment.arm.name,
        "search": assignment.search,
        "trial": assignment.number,
        "state": "running",
        "params": assignment.params,
        "seed": assignment.seed,
        "started": assignment.started,
    }


def mend(search: Search, notify: Callable[[str], None]) -> None:
    """Make the files of a search's trials agree with the database, with a line for each change.

    Raises UserError where the database lacks what is on file, or says something else.
    """
    trials = search.trials()
    folders = numbered(search.folder(0).parent, "trial")
    for number in sorted(set(folders) - {trial.number for trial in trials}):
        if (folders[number] / RESULT).exists():
            raise UserError(
                f"{folders[number]} is on file, but the database has no such trial; put the "
                "database back (or name its place with --storage), or start again with --fresh, "
                "which moves the old directory aside"
            )
    for trial in trials:
        folder = search.folder(trial.number)
        if trial.state in STATES:
            _mend_finished(folder, search, trial, notify)
        elif folder.exists():
            _mend_unfinished(folder, search, trial)


def _mend_finished(
    folder: Path, search: Search, trial: FrozenTrial, notify: Callable[[str], None]
) -> None:
    try:
        record = read_result(folder)
        wrong = "it is missing" if record is None else None
    except DamagedError as error:
        record, wrong = None, str(error)
    if record is not None:
        _check_agrees(folder, record, search, trial)
        try:
            check_evidence(folder, record)
        except DamagedError as error:
            wrong = str(error)
    if wrong is not None:
        what = f"{folder / RESULT} is written again from the database ({wrong})"
        if not write_trial(folder, search, trial):
            what += "; of its epochs it has the validation losses only"
        notify(what)
    (folder / STARTED).unlink(missing_ok=True)  # of a process that died between two steps
    checkpoint.remove(folder / "checkpoint")


def _mend_unfinished(folder: Path, search: Search, trial: FrozenTrial) -> None:
    """A trial that the next step of its search begins again, from its checkpoint."""
    # Its result is that of a process that died before the database had it.
    (folder / RESULT).unlink(missing_ok=True)
    try:
        record = read_training(folder)
    except DamagedError:
        record = None
    params = search.shown_params(trial.params) if trial.params else {}
    if record is None:
        write_started(folder, {**_identity(search, trial), "state": "running", "params": params})
    elif any(
        (record.get("params") or {}).get(name, value) != value for name, value in params.items()
    ):
        raise _disagree(folder / STARTED, "its hyperparameters")


def write_trial(folder: Path, search: Search, trial: FrozenTrial) -> bool:
    """Write a finished trial's files from the database.

    Its epochs are kept where they are those of the database, which has their validation losses
    only. Returns whether they were kept.
    """
    losses = dict(sorted(trial.intermediate_values.items()))
    kept = _belong(read_epochs(folder), trial)
    if not kept:
        (folder / METRICS).unlink(missing_ok=True)
        files.make_folder(folder)
        for epoch, loss in losses.items():
            append_epoch(folder, {"epoch": epoch, "val_loss": loss})
    write_result(folder, _record_of(folder, search, trial))
    return kept


def _record_of(folder: Path, search: Search, trial: FrozenTrial) -> dict[str, Any]:
    """What the result file of a finished trial says, by the database."""
    best = min(_losses(read_epochs(folder)).values(), default=None)
    return {
        **_identity(search, trial),
        "state": STATES[TrialState(trial.state)],
        "params": search.shown_params(trial.params),
        **{name: trial.user_attrs.get(name) for name in ATTRIBUTES},
        "value": trial.value if trial.state == TrialState.COMPLETE else best,
        "reason": trial.user_attrs.get("reason"),
        **{name: trial.user_attrs[name] for name in OTHERS if name in trial.user_attrs},
        "finished": _time(trial.datetime_complete),
    }


def _identity(search: Search, trial: FrozenTrial) -> dict[str, Any]:
    return {
        "arm": search.arm.name,
        "search": search.search,
        "trial": trial.number,
        "started": _time(trial.datetime_start),
    }


def _check_agrees(
    folder: Path, record: Mapping[str, Any], search: Search, trial: FrozenTrial
) -> None:
    """Raise UserError where a whole result file and the database say different things."""
    ours = _record_of(folder, search, trial)
    names = ["state", "params"]
    if trial.state == TrialState.COMPLETE:
        names.append("value")
    if "files" in record:
        names += [*ATTRIBUTES, *OTHERS]
    for name in names:
        if not _equal(record.get(name), ours.get(name)):
            raise _disagree(folder / RESULT, name)
    try:
        check_evidence(folder, record, (METRICS,))
    except DamagedError:
        return
    if "files" in record and not _belong(read_epochs(folder), trial):
        raise _disagree(folder / METRICS, "the epochs")


def _belong(epochs: list[dict[str, Any]], trial: FrozenTrial) -> bool:
    """Whether these are a trial's epochs by the database.

    The last attempt at a trial that failed may have ended before the epochs of earlier attempts.
    """
    found, known = _losses(epochs), dict(trial.intermediate_values)
    if trial.state == TrialState.FAIL:
        return found.items() <= known.items()
    return found == known


def _losses(epochs: list[dict[str, Any]]) -> dict[int, float]:
    return {each["epoch"]: each["val_loss"] for each in epochs if each.get("val_loss") is not None}


def _equal(a: Any, b: Any) -> bool:
    """Whether two values are equal as JSON has them: null for what is not finite."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    a, b = (None if isinstance(x, float) and not math.isfinite(x) else x for x in (a, b))
    if isinstance(a, tuple | list) and isinstance(b, tuple | list):
        return list(a) == list(b)
    return bool(a == b)


def _disagree(file: Path, what: str) -> UserError:
    return UserError(
        f"{file} and the database disagree about {what}: one of them was changed; put a good copy "
        "of the database back, or remove the file to take what the database says"
    )


def _time(local: datetime | None) -> str | None:
    """Optuna's local time as ISO 8601 in UTC, to the second."""
    return None if local is None else local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
