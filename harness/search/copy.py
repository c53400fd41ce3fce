"""Copy a study between databases: `harness copy lstm_depth sqlite:///runs/lstm_depth/study.db URL`.

The rows are copied as they are, in one transaction: an interrupted copy leaves nothing behind.
The source does not change.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Table, select

from harness.core.errors import UserError
from harness.core.optuna_private import models
from harness.results import lock
from harness.results.run_directory import RunDirectory
from harness.search.database import Database, file_of, open_storage, shown, user_errors
from harness.search.trial_store import PARTS, TRIALS

STUDIES = models.StudyModel.__table__
OF_STUDIES: tuple[Table, ...] = (
    models.StudyDirectionModel.__table__,
    models.StudyUserAttributeModel.__table__,
    models.StudySystemAttributeModel.__table__,
)
OF_TRIALS: tuple[Table, ...] = tuple(table for table, _ in PARTS.values())


def copy_study(name: str, source: str, target: str) -> int:
    """Copy all arms of a study between two database URLs; returns the number of trials.

    Raises UserError where the source does not have the study, or the target has it already;
    StudyHeldError where another process uses the study in one of them.
    """
    file = file_of(source)
    if file is not None and not file.exists():
        raise UserError(f"copy: there is no {file}")
    with user_errors("copy"), _held(source, name) as old, _held(target, name) as new:
        there = old.transact(lambda connection, _: _read(connection, name))
        if not there[STUDIES]:
            raise UserError(f"copy: {shown(source)} holds no study {name}")
        return new.transact(lambda connection, _: _write(connection, name, there, target))


@contextlib.contextmanager
def _held(url: str, name: str) -> Iterator[Database]:
    """The database, with the study's lock held: the run directory's where it is in one."""
    with contextlib.ExitStack() as stack:
        file = file_of(url)
        if file is not None and (file.parent / "manifest.json").exists():
            stack.enter_context(lock.hold(RunDirectory(file.parent).lock))
        database = open_storage(url)
        stack.callback(database.close)
        database.hold(name)
        yield database


Rows = list[dict[str, Any]]


def of_study(name: str) -> Any:
    """The condition for the rows of a study's arms: an arm's Optuna study is NAME/ARM."""
    return STUDIES.c.study_name.startswith(f"{name}/", autoescape=True)


def _read(connection: Connection, name: str) -> dict[Table, Rows]:
    studies = select(STUDIES.c.study_id).where(of_study(name))
    trials = select(TRIALS.c.trial_id).where(TRIALS.c.study_id.in_(studies))
    chosen = {
        STUDIES: select(STUDIES).where(of_study(name)).order_by(STUDIES.c.study_id),
        TRIALS: select(TRIALS).where(TRIALS.c.study_id.in_(studies)).order_by(TRIALS.c.trial_id),
        **{table: select(table).where(table.c.study_id.in_(studies)) for table in OF_STUDIES},
        **{table: select(table).where(table.c.trial_id.in_(trials)) for table in OF_TRIALS},
    }
    return {
        table: [dict(row) for row in connection.execute(query).mappings()]
        for table, query in chosen.items()
    }


def _write(connection: Connection, name: str, rows: dict[Table, Rows], target: str) -> int:
    if connection.execute(select(STUDIES.c.study_id).where(of_study(name))).first() is not None:
        raise UserError(
            f"copy: {shown(target)} holds a study {name} already; choose another database, "
            "or delete it there with: optuna delete-study"
        )
    studies = _insert(connection, STUDIES, rows[STUDIES], {})
    for table in OF_STUDIES:
        _insert(connection, table, rows[table], {"study_id": studies})
    trials = _insert(connection, TRIALS, rows[TRIALS], {"study_id": studies})
    for table in OF_TRIALS:
        # Optuna orders parameters by their ids.
        key = next(iter(table.primary_key.columns)).name
        ordered = sorted(rows[table], key=lambda row: int(row[key]))
        _insert(connection, table, ordered, {"trial_id": trials})
    return len(rows[TRIALS])


def _insert(
    connection: Connection, table: Table, rows: Rows, ids: dict[str, dict[int, int]]
) -> dict[int, int]:
    """Insert rows with new ids; returns the new ids by the old ones."""
    if not rows:
        return {}
    key = next(iter(table.primary_key.columns))
    fresh = [
        {
            column: ids[column][value] if column in ids else value
            for column, value in row.items()
            if column != key.name
        }
        for row in rows
    ]
    inserting = table.insert().returning(key, sort_by_parameter_order=True)
    found = connection.execute(inserting, fresh).scalars()
    return {int(row[key.name]): int(new) for row, new in zip(rows, found, strict=True)}
