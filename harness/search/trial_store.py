"""An arm's trials in memory, and their copy in the database. No Keras.

One coordinator owns a study's trials, so nothing needs to be read twice. Samplers and pruners work
on trials in memory. The database gets a trial in about three transactions: one when its
hyperparameters are drawn, one when it ends or is released, and one or more for the epochs between,
at most every second. A process killed between two transactions loses nothing: the resumed process
draws or receives it again.
"""

import json
import time
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import optuna
from optuna.distributions import distribution_to_json
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import BasePruner
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import Connection, Table, func, select

from harness.core.errors import UserError, shortened
from harness.core.optuna_private import models, study_id, trial_id
from harness.search.database import Database, shown

# The longest time that an epoch waits for others before it is written to the database.
EPOCHS_WAIT_S = 1.0

TRIALS = models.TrialModel.__table__
# The tables of what belongs to a trial, each with the column that identifies a trial's row.
PARTS: Mapping[str, tuple[Table, str]] = {
    "params": (models.TrialParamModel.__table__, "param_name"),
    "values": (models.TrialValueModel.__table__, "objective"),
    "intermediate_values": (models.TrialIntermediateValueModel.__table__, "step"),
    "user_attrs": (models.TrialUserAttributeModel.__table__, "key"),
    "system_attrs": (models.TrialSystemAttributeModel.__table__, "key"),
}

Rows = dict[Any, dict[str, Any]]  # by the column that identifies them
Parts = dict[Table, Rows]


class TrialStore:
    """An Optuna study in memory, loaded from the database; `write` stores a trial there."""

    def __init__(self, database: Database, name: str, pruner: BasePruner) -> None:
        self._database = database
        self._stored = optuna.create_study(
            storage=database, study_name=name, direction="minimize", load_if_exists=True
        )
        self._stored_id = study_id(self._stored)
        self.memory = InMemoryStorage()
        self.study = optuna.create_study(
            storage=self.memory, study_name=name, direction="minimize", pruner=pruner
        )
        self._ids: dict[int, int] = {}
        # Copies of unfinished trials as written: Optuna changes a trial in memory in place.
        self._written: dict[int, tuple[TrialState, Parts]] = {}
        self._last_write = time.monotonic()
        try:
            trials = database.get_all_trials(self._stored_id, deepcopy=False)
            self._user_attrs = dict(self._stored.user_attrs)
        except (ValueError, TypeError, LookupError, AttributeError, AssertionError) as error:
            raise UserError(
                f"storage: {shown(database.url)} is damaged: {name} can't be read "
                f"({shortened(str(error).splitlines()[0] if str(error) else repr(error))}); put a "
                "good copy back, or start again with --fresh"
            ) from error
        for trial in sorted(trials, key=lambda trial: trial.number):
            # A fresh storage in memory numbers its trials by their ids.
            number = self.memory.create_new_trial(study_id(self.study), trial)
            self._ids[number] = trial_id(trial)
            if not trial.state.is_finished():
                self._written[number] = trial.state, _parts(trial)

    @property
    def user_attrs(self) -> Mapping[str, Any]:
        """The attributes of the study in the database, as they were when it was opened."""
        return self._user_attrs

    def set_user_attr(self, key: str, value: Any) -> None:
        if self._user_attrs.get(key) != value:
            self._stored.set_user_attr(key, value)
            self._user_attrs[key] = value

    def name_metric(self, name: str) -> None:
        """What optuna-dashboard calls a trial's value; databases of earlier versions had none."""
        if self._stored.metric_names is None:
            with warnings.catch_warnings():  # Optuna calls it experimental
                warnings.simplefilter("ignore", ExperimentalWarning)
                self._stored.set_metric_names([name])

    def write_epochs(self, number: int) -> None:
        """Write the trial, unless something was written just now: the next write has its epochs."""
        if time.monotonic() >= self._last_write + EPOCHS_WAIT_S:
            self.write(number)

    def write(self, number: int) -> None:
        """Write, in one transaction, what the database does not have of a trial yet.

        Raises UserError where another program has changed the study in the database.
        """
        trial = self.memory.get_trial(number)
        parts = _parts(trial)
        before, had = self._written.get(number, (None, {}))

        def insert(connection: Connection, again: bool) -> int:
            known = select(TRIALS.c.trial_id).where(
                TRIALS.c.study_id == self._stored_id, TRIALS.c.number == number
            )
            # The server may have stopped between the commit and its answer.
            if again and (found := connection.execute(known).scalar()) is not None:
                return int(found)
            count = select(func.count()).where(TRIALS.c.study_id == self._stored_id)
            if connection.execute(count).scalar() != number:
                raise self._changed()
            row = {**_row(trial), "number": number, "study_id": self._stored_id}
            key = connection.execute(TRIALS.insert().values(row)).inserted_primary_key
            assert key is not None
            for table, _, rows in _changes({}, parts):
                connection.execute(
                    table.insert(), [{**row, "trial_id": key[0]} for row in rows.values()]
                )
            return int(key[0])

        def update(connection: Connection, again: bool) -> int:
            mine = TRIALS.c.trial_id == self._ids[number]
            expected = TRIALS.c.state.in_({before, trial.state} if again else {before})
            found = connection.execute(TRIALS.update().where(mine, expected).values(_row(trial)))
            if found.rowcount != 1:
                raise self._changed()
            for table, column, rows in _changes(had, parts):
                if again or had[table].keys() & rows.keys():
                    connection.execute(
                        table.delete().where(
                            table.c.trial_id == self._ids[number], table.c[column].in_(list(rows))
                        )
                    )
                connection.execute(
                    table.insert(),
                    [{**row, "trial_id": self._ids[number]} for row in rows.values()],
                )
            return self._ids[number]

        self._ids[number] = self._database.transact(insert if before is None else update)
        self._last_write = time.monotonic()
        if trial.state.is_finished():
            self._written.pop(number, None)
        else:
            self._written[number] = trial.state, parts

    def _changed(self) -> UserError:
        return UserError(
            f"storage: another program has changed {self.study.study_name} in the database; "
            "give the same command again to resume from what is there"
        )


def _row(trial: FrozenTrial) -> dict[str, Any]:
    return {
        "state": TrialState(trial.state),
        "datetime_start": _utc(trial.datetime_start),
        "datetime_complete": _utc(trial.datetime_complete),
    }


def _utc(local: datetime | None) -> datetime | None:
    """Optuna shows local time and stores UTC, both without a time zone."""
    return None if local is None else local.astimezone(UTC).replace(tzinfo=None)


def _changes(before: Parts, after: Parts) -> Iterator[tuple[Table, str, Rows]]:
    """For each table with new or changed rows: its identifying column, and these rows."""
    for table, column in PARTS.values():
        old = before.get(table, {})
        rows = {key: row for key, row in after[table].items() if old.get(key) != row}
        if rows:
            yield table, column, rows


def _parts(trial: FrozenTrial) -> Parts:
    return {table: _part(trial, table) for table, _ in PARTS.values()}


def _part(trial: FrozenTrial, table: Table) -> Rows:
    """A trial's rows of one table, as Optuna stores them, by the identifying column."""
    if table is PARTS["params"][0]:
        return {
            name: {
                "param_name": name,
                "param_value": trial.distributions[name].to_internal_repr(value),
                "distribution_json": distribution_to_json(trial.distributions[name]),
            }
            for name, value in trial.params.items()
        }
    rows: Rows = {}
    if table is PARTS["values"][0]:
        for objective, value in enumerate(trial.values or []):
            stored, kind = models.TrialValueModel.value_to_stored_repr(value)
            rows[objective] = {"objective": objective, "value": stored, "value_type": kind}
        return rows
    if table is PARTS["intermediate_values"][0]:
        for step, value in trial.intermediate_values.items():
            number, type_ = models.TrialIntermediateValueModel.intermediate_value_to_stored_repr(
                value
            )
            rows[step] = {
                "step": step,
                "intermediate_value": number,
                "intermediate_value_type": type_,
            }
        return rows
    attributes = trial.user_attrs if table is PARTS["user_attrs"][0] else trial.system_attrs
    return {key: {"key": key, "value_json": json.dumps(v)} for key, v in attributes.items()}
