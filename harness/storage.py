"""The Optuna storage of a study: opened, checked, its errors told in one line. No Keras."""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from harness.errors import UserError

# Another program (a dashboard, a backup) may hold the file for a while; SQLite waits this long.
BUSY_TIMEOUT_S = 60


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file, as Optuna and optuna-dashboard take it."""
    url = sqlalchemy.URL.create("sqlite", database=str(file.absolute()))
    return url.render_as_string(hide_password=False)


def shown(url: str) -> str:
    """The URL as logs and manifests may hold it: without its password."""
    try:
        return sqlalchemy.make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "(unreadable storage URL)"


def check_url(url: str) -> sqlalchemy.URL:
    """Raises UserError where it is no database's URL, or one that forgets."""
    try:
        parsed = sqlalchemy.make_url(url)
    except SQLAlchemyError:
        raise UserError(
            "storage: not a database URL; write sqlite:///FILE, or leave --storage out"
        ) from None
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise UserError("storage: a database in memory can't be resumed; name a file")
    return parsed


def open_storage(url: str) -> RDBStorage:
    """Open, or create, the database; raises UserError where it can't be used.

    A SQLite file is checked whole first (`PRAGMA quick_check`): a damaged one is refused before
    anything is written to it.
    """
    parsed = check_url(url)
    connect_args: dict[str, object] = {}
    if parsed.get_backend_name() == "sqlite":
        connect_args["timeout"] = BUSY_TIMEOUT_S
        _check_sqlite(_sqlite_file(str(parsed.database)))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with told(shown(url)):
        try:
            # Optuna passes URLs through str.format: a brace in a path must be doubled.
            escaped = url.replace("{", "{{").replace("}", "}}")
            return RDBStorage(escaped, engine_kwargs={"connect_args": connect_args})
        except ImportError as error:
            raise UserError(f"storage: {_first_line(error)}") from None
        except RuntimeError as error:  # Optuna's word for a schema of another version
            raise UserError(
                f"storage: {shown(url)} was written by another version of Optuna "
                f"({_first_line(error)}); use that version, or --fresh"
            ) from None


def close(storage: RDBStorage) -> None:
    """Let go of the database's file or connection."""
    storage.remove_session()
    storage.engine.dispose()


def _sqlite_file(database: str) -> Path:
    """The file behind SQLAlchemy's database field, which may be a `file:` URI."""
    if database.startswith("file:"):
        return Path(unquote(urlsplit(database).path))
    return Path(database)


def _check_sqlite(file: Path) -> None:
    if not file.exists() or file.stat().st_size == 0:
        return
    with told(str(file)):
        connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_S)
        try:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    if verdict != "ok":
        raise _damaged(str(file))


def _damaged(where: str) -> UserError:
    return UserError(
        f"storage: {where} is damaged or not a SQLite database; put a good copy back, "
        "or start anew with --fresh, which moves the old directory aside"
    )


@contextlib.contextmanager
def told(where: str) -> Iterator[None]:
    """Turn a database's or disk's errors into one line that says how to mend them."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError, sqlite3.Error, OSError) as error:
        raise _as_user_error(error, where) from error


def _as_user_error(error: BaseException, where: str) -> UserError:
    cause: BaseException = error
    while isinstance(cause, StorageInternalError) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, DBAPIError) and cause.orig is not None:
        cause = cause.orig
    text = _first_line(cause)
    number = getattr(cause, "errno", None)
    if "disk is full" in text or number in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"{where}: the disk is full; free some space and give the same command again, "
            "finished trials are kept"
        )
    if "readonly" in text or "read-only" in text.lower() or number in (errno.EROFS, errno.EACCES):
        return UserError(f"{where}: can't be written; make it writable or choose another --runs")
    if "malformed" in text or "not a database" in text:
        return _damaged(where)
    if "locked" in text:
        return UserError(
            f"{where}: another program has held the database for {BUSY_TIMEOUT_S} seconds; "
            "close it and give the same command again"
        )
    if isinstance(cause, OSError) and cause.strerror:
        file = f" ({os.fspath(cause.filename)})" if cause.filename else ""
        return UserError(f"{where}: {cause.strerror}{file}; mend that and give the command again")
    return UserError(f"{where}: the database refused: {text}")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
