"""A study gets another name in its database, or leaves it: `harness rename`, `harness remove`."""

from collections.abc import Collection
from contextlib import closing

from sqlalchemy import Connection, func, select

from harness.core.errors import UserError
from harness.search.copy import STUDIES, of_study
from harness.search.database import file_of, open_storage, shown, user_errors


def rename(url: str, olds: Collection[str], new: str) -> None:
    """Give the arms of the study, whatever it is called of `olds`, the name `new`.

    Raises UserError where the database has a study of the new name, or can't be used, and
    StudyHeldError where another process uses the study.
    """
    olds = [old for old in olds if old != new]
    if not _is_there(url) or not olds:
        return

    def work(connection: Connection, _: bool) -> None:
        for old in olds:
            if connection.execute(select(STUDIES.c.study_id).where(of_study(old))).first() is None:
                continue
            _check_free(connection, new, url)
            rest = func.substr(STUDIES.c.study_name, len(old) + 1)
            connection.execute(STUDIES.update().where(of_study(old)).values(study_name=new + rest))

    with user_errors(shown(url)), closing(open_storage(url)) as database:
        database.hold(olds[0])
        database.transact(work)


def delete(url: str, name: str) -> None:
    """Delete the study's arms and their trials from a database; raises as `rename` does."""
    if not _is_there(url):
        return
    with user_errors(shown(url)), closing(open_storage(url)) as database:
        database.hold(name)
        for study_id in database.transact(lambda connection, _: _ids(connection, name)):
            database.delete_study(study_id)


def check_free(url: str, name: str) -> None:
    """Raise UserError where the database has a study of this name already."""
    if _is_there(url):
        with user_errors(shown(url)), closing(open_storage(url)) as database:
            database.transact(lambda connection, _: _check_free(connection, name, url))


def _check_free(connection: Connection, name: str, url: str) -> None:
    if _ids(connection, name):
        raise UserError(
            f"{shown(url)} has a study {name} already; choose another name, or delete it there "
            "with: optuna delete-study"
        )


def _ids(connection: Connection, name: str) -> list[int]:
    return list(connection.execute(select(STUDIES.c.study_id).where(of_study(name))).scalars())


def _is_there(url: str) -> bool:
    """Whether there is a database; opening a SQLite file would make it."""
    file = file_of(url)
    return file is None or file.exists()
