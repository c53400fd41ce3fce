"""Finished trials on file: of a project directory of KerasTuner, or of an Optuna database.

Nothing is written to either. No Keras.
"""

import contextlib
import hashlib
import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.checks import is_number, is_whole
from harness.core.errors import UserError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

MAX_STEP = 2**31  # an epoch's number


@dataclass(frozen=True)
class ForeignTrial:
    """A finished trial: `value` is its lowest validation loss, `epochs` has the losses by epoch.

    `source` is its identity: a hash of what it is, so that a file may be copied or moved. `former`
    is the one that older versions kept: the place where it was found.
    """

    source: str
    former: str
    params: Mapping[str, Any]
    value: float
    val_accuracy: float | None = None
    epochs: Mapping[int, float] = field(default_factory=dict)


def of_keras_tuner(root: Path) -> Iterator[ForeignTrial]:
    """The completed trials of a project with a finite validation loss; raises UserError."""
    for file in sorted(root.glob("trial_*/trial.json")):
        try:
            found = _of_trial_file(json.loads(file.read_text(encoding="utf-8")), root)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UserError(
                f"{file}: not a trial of KerasTuner that can be read ({_reason(error)}); put a "
                "good copy back, or move its folder away"
            ) from None
        if found is not None:
            yield found


def _of_trial_file(found: dict[str, Any], root: Path) -> ForeignTrial | None:
    observed = found["metrics"]["metrics"]
    values, number = found["hyperparameters"]["values"], found["trial_id"]
    if not isinstance(values, dict) or not isinstance(observed, dict):
        raise TypeError("its hyperparameters or metrics are no object")
    if found.get("status") != "COMPLETED" or "val_loss" not in observed:
        return None
    losses = _observations(observed["val_loss"])
    finite = [loss for loss in losses if math.isfinite(loss)]
    accuracy = _observations(observed.get("val_accuracy") or {})
    # Values of KerasTuner's own: "tuner/epochs".
    params = {name: value for name, value in values.items() if not name.startswith("tuner/")}
    return (
        finite
        and ForeignTrial(
            source=_identity("keras-tuner", number, params, losses),
            former=f"{root.absolute()}#{number}",
            params=params,
            value=min(finite),
            val_accuracy=_accuracy(max(accuracy, default=None)),
        )
    ) or None


def _observations(metric: Mapping[str, Any]) -> list[float]:
    found = []
    for each in metric.get("observations") or []:
        _check_step(each.get("step", 0))
        for value in each["value"]:
            if not is_number(value):
                raise TypeError(f"{value!r} is no number")
            found.append(float(value))
    return found


def of_optuna(source: str, study_name: str | None) -> Iterator[ForeignTrial]:
    """The complete trials of a study with a finite value, from a SQLite file or a database's URL.

    Raises UserError where there is no such study, or where it does not minimise one value.
    """
    import optuna

    from harness.search.database import shown

    where = source if "://" not in source else shown(source)
    with _opened(source, where) as storage:
        studies = {study.study_name: study for study in storage.get_all_studies()}
        only = next(iter(studies)) if len(studies) == 1 else None
        study = studies.get(study_name or only or "")
        if study is None:
            listed = ", ".join(list(studies)[:10]) or "none"
            raise UserError(f"{where} holds these studies: {listed}; name one with --study")
        if study.directions != [optuna.study.StudyDirection.MINIMIZE]:
            raise UserError(
                f"{where}: {study.study_name} does not minimise one value; a study's value is the "
                "validation loss"
            )
        trials = storage.get_all_trials(
            study._study_id, deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)
        )
        url = source if "://" in source else f"sqlite:///{Path(source).absolute()}"
        former = f"{shown(url)}#{study.study_name}"
        found = [_of_optuna_trial(trial, former) for trial in trials]
    yield from (trial for trial in found if trial is not None)


def _of_optuna_trial(trial: "FrozenTrial", former: str) -> ForeignTrial | None:
    """None where its training has diverged: for Optuna a trial of infinite value is complete."""
    if not is_number(trial.value):
        raise TypeError(f"the value of trial {trial.number} is {trial.value!r}")
    for step, loss in trial.intermediate_values.items():
        _check_step(step)
        if not is_number(loss):
            raise TypeError(f"an intermediate value of trial {trial.number} is {loss!r}")
    if not math.isfinite(trial.value):
        return None
    times = (str(trial.datetime_start), str(trial.datetime_complete))
    return ForeignTrial(
        source=_identity("optuna", trial.number, trial.params, [trial.value, *times]),
        former=f"{former}/{trial.number}",
        params=trial.params,
        value=float(trial.value),
        val_accuracy=_accuracy(trial.user_attrs.get("val_accuracy")),
        epochs={
            epoch: loss for epoch, loss in trial.intermediate_values.items() if math.isfinite(loss)
        },
    )


@contextlib.contextmanager
def _opened(source: str, where: str) -> Iterator["RDBStorage"]:
    """Optuna's database, opened for reading only; whatever it holds wrongly is a UserError."""
    import optuna
    import sqlalchemy
    from optuna.storages import RDBStorage

    url, options = _read_only(source, where)
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        engine = sqlalchemy.create_engine(url, **options)
        missing = {"studies", "trials", "version_info", "alembic_version"} - {
            *sqlalchemy.inspect(engine).get_table_names()
        }
        engine.dispose()
        if missing:
            raise ValueError(f"it has no table {min(missing)}")
        # Optuna passes URLs through str.format: a brace must be doubled.
        escaped = url.replace("{", "{{").replace("}", "}}")
        storage = RDBStorage(escaped, engine_kwargs=options, skip_table_creation=True)
        try:
            yield storage
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except UserError:
        raise
    except Exception as error:  # Optuna checks nothing of what it reads
        raise UserError(
            f"{where}: not an Optuna database that can be read ({_reason(error)})"
        ) from None
    finally:
        optuna.logging.set_verbosity(level)


def _read_only(source: str, where: str) -> tuple[str, dict[str, Any]]:
    """A URL for SQLAlchemy, and the options with which nothing can be written there."""
    import sqlalchemy

    from harness.search import database

    if "://" in source:
        try:
            url = sqlalchemy.make_url(source)
        except (sqlalchemy.exc.ArgumentError, ValueError):
            raise UserError(
                f"{where}: not a database URL; write sqlite:///FILE, "
                "postgresql+psycopg://USER@HOST/DATABASE, or the path of a file"
            ) from None
        if url.get_backend_name() == "postgresql":
            options = {
                "connect_timeout": database.CONNECT_TIMEOUT_S,
                "options": "-c default_transaction_read_only=on",
            }
            text = database.check_url(source).render_as_string(hide_password=False)
            return text, {"connect_args": options, "poolclass": sqlalchemy.NullPool}
        if url.get_backend_name() != "sqlite":
            return source, {"poolclass": sqlalchemy.NullPool}
        # As it is written, if there is such a file: SQLAlchemy takes what follows a question mark
        # as options.
        name = source.partition(":///")[2]
        file = Path(name) if os.path.isfile(name) else database.file_of(source)
        assert file is not None
    else:
        file = Path(source)
    if not os.path.isfile(file):  # False also for what no path can be
        raise UserError(f"{where}: no such file or directory")
    address = f"{file.absolute().as_uri()}?mode=ro"
    if not file.with_name(f"{file.name}-wal").exists():
        # Nobody is writing in SQLite's mode with side files. It would create them even to read.
        address += "&immutable=1" if _has_write_ahead_log(file) else ""
    connect = lambda: sqlite3.connect(address, uri=True, timeout=database.BUSY_TIMEOUT_S)  # noqa: E731
    return "sqlite://", {"creator": connect, "poolclass": sqlalchemy.NullPool}


def _has_write_ahead_log(file: Path) -> bool:
    """Whether the header of a SQLite file says so (www.sqlite.org/fileformat.html, 1.3.3)."""
    with file.open("rb") as opened:
        return opened.read(20)[18:20] == b"\x02\x02"


def _check_step(step: object) -> None:
    if not is_whole(step) or not 0 <= step < MAX_STEP:
        raise ValueError(f"{step!r} is not the number of an epoch")


def _accuracy(value: object) -> float | None:
    return float(value) if is_number(value) and math.isfinite(value) and value <= 1 else None


def _identity(*parts: object) -> str:
    text = json.dumps(parts, sort_keys=True, default=str)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0][:150]}"
