"""The Optuna storage of a study: opened, checked, its errors shown in one line. No Keras."""

import contextlib
import hashlib
import os
import re
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import optuna
import sqlalchemy
from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)

from harness.core.errors import StudyHeldError, UserError, of_disk
from harness.core.optuna_private import models

# Another program (a dashboard, a backup) may lock the file for a while; SQLite waits this long.
BUSY_TIMEOUT_S = 60
# How long to wait for a server that restarts. One that never answered is not waited for.
RETRY_S = 60.0
RETRY_EVERY_S = 0.5
CONNECT_TIMEOUT_S = 10
# With these values a server frees the lock about two minutes after a machine has disappeared.
KEEPALIVES = {"tcp_keepalives_idle": 60, "tcp_keepalives_interval": 20, "tcp_keepalives_count": 3}

POSTGRES = ("postgresql", "postgresql+psycopg")

T = TypeVar("T")


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite file, as Optuna and optuna-dashboard take it."""
    url = sqlalchemy.URL.create("sqlite", database=str(file.absolute()))
    return url.render_as_string(hide_password=False)


def shown(url: str) -> str:
    """The URL without its password, for logs, manifests and commands.

    The password is left out, not replaced by stars: with PGPASSWORD or ~/.pgpass the URL works.
    """
    try:
        parsed = sqlalchemy.make_url(url)
    except (SQLAlchemyError, ValueError):
        return "(unreadable storage URL)"
    secret = [key for key in parsed.query if "pass" in key.lower()]
    # URL.set leaves a password as it is when given None.
    parsed = parsed._replace(password=None).difference_update_query(secret)
    return parsed.render_as_string(hide_password=False)


def check_url(url: str) -> sqlalchemy.URL:
    """The parsed URL; raises UserError where it is not a URL of SQLite or PostgreSQL."""
    try:
        parsed = sqlalchemy.make_url(url)
    except (SQLAlchemyError, ValueError):
        raise UserError(
            "storage: not a database URL; write sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST/DATABASE, or leave --storage out"
        ) from None
    if parsed.drivername in POSTGRES:
        return parsed.set(drivername=POSTGRES[-1])
    if parsed.get_backend_name() != "sqlite":
        raise UserError(
            f"storage: {parsed.drivername} is not supported; write sqlite:///FILE or "
            "postgresql+psycopg://USER@HOST/DATABASE"
        )
    if parsed.database in (None, "", ":memory:"):
        raise UserError("storage: a database in memory can't be resumed; name a file")
    return parsed


class Database(RDBStorage):
    """Optuna's storage, with transactions that are repeated when the server restarts.

    In PostgreSQL, `hold` takes an advisory lock for a study, and every transaction runs in the
    session that has the lock. So a coordinator that has lost its connection writes nothing until it
    has the lock again.
    """

    notify: Callable[[str], None] = staticmethod(lambda text: None)
    _connection: sqlalchemy.Connection | None = None
    _study: str | None = None
    _gave_up = False

    def hold(self, study: str) -> None:
        """Take the study's lock until `close`; raises StudyHeldError naming who has it.

        A SQLite file has no lock of its own: the run directory's lock protects it.
        """
        if self.engine.dialect.name == "postgresql":
            self._study = study
            with user_errors(shown(self.url)):
                self._connected()

    def transact(self, work: Callable[[sqlalchemy.Connection, bool], T]) -> T:
        """Run `work(connection, again)` in a transaction; repeat it when the server is back.

        With `again`, an earlier attempt may have been committed although its answer was lost.
        Raises the database's error after RETRY_S seconds without the server, and StudyHeldError
        where another coordinator has taken the lock by then.
        """
        deadline, again = None, False
        while True:
            try:
                connection = self._connected()
                with connection.begin():
                    return work(connection, again)
            except (OperationalError, InterfaceError):
                if self.engine.dialect.name == "sqlite" or self._gave_up:
                    raise
                self._disconnect()
                if deadline is None:
                    deadline = time.monotonic() + RETRY_S
                    self.notify(
                        f"the database is out of reach; trying again for {RETRY_S:g} seconds"
                    )
                if time.monotonic() > deadline:
                    self._gave_up = True
                    raise
                time.sleep(RETRY_EVERY_S)
                again = True

    def close(self) -> None:
        """Close the database's file or connection, and free the lock."""
        self._disconnect()
        self.remove_session()
        self.engine.dispose()

    def _connected(self) -> sqlalchemy.Connection:
        if self._connection is None:
            connection = self.engine.connect()
            try:
                if self._study is not None:
                    _lock(connection, self._study)
            except BaseException:
                connection.invalidate()
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            # Not returned to the pool: the session ends, and its lock with it.
            with contextlib.suppress(SQLAlchemyError):
                self._connection.invalidate()
            with contextlib.suppress(SQLAlchemyError):
                self._connection.close()
            self._connection = None


def _lock(connection: sqlalchemy.Connection, study: str) -> None:
    """Take the advisory lock of a study for this session of PostgreSQL."""
    key = _lock_key(study)
    with connection.begin():
        for name, value in KEEPALIVES.items():
            connection.exec_driver_sql(f"SET {name} = {value}")
        if connection.scalar(sqlalchemy.select(sqlalchemy.func.pg_try_advisory_lock(key))):
            return
        holder = connection.scalar(
            sqlalchemy.text(
                "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) "
                "WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
                "AND (classid::bigint << 32) | objid::bigint = :key"
            ),
            {"key": key},
        )
    raise StudyHeldError(
        f"{study} is in use in this database by {holder or 'another process'}; "
        "wait for it to end or stop it, then give the same command again"
    )


def _lock_key(study: str) -> int:
    """A 64-bit number derived from the study's name."""
    digest = hashlib.sha256(f"harness study {study}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


@contextlib.contextmanager
def _one_at_a_time(url: sqlalchemy.URL, engine_kwargs: dict[str, Any]) -> Iterator[None]:
    """Let only one coordinator at a time create the tables of an empty PostgreSQL database."""
    engine = sqlalchemy.create_engine(url, **engine_kwargs)
    try:
        with engine.begin() as connection:
            key = _lock_key("/tables")  # no study's name
            connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(key)))
            yield
    finally:
        engine.dispose()


def open_storage(url: str) -> Database:
    """Open or create the database; raises UserError where it can't be used.

    A SQLite file is checked first (`PRAGMA integrity_check`): nothing is written to a damaged one.
    """
    parsed = check_url(url)
    kwargs: dict[str, Any] = {"connect_args": {"timeout": BUSY_TIMEOUT_S}}
    opening: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
    if parsed.get_backend_name() == "sqlite":
        _check_sqlite(_sqlite_file(str(parsed.database)))
    else:
        name = f"process {os.getpid()} on {socket.gethostname()}"
        kwargs = {
            "connect_args": {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": name},
            "pool_pre_ping": True,
        }
        opening = _one_at_a_time(parsed, kwargs)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with user_errors(shown(url)):
        try:
            # Optuna passes URLs through str.format: a brace in a path must be doubled.
            plain = parsed.render_as_string(hide_password=False)
            escaped = plain.replace("{", "{{").replace("}", "}}")
            with opening:
                return Database(escaped, engine_kwargs=kwargs)
        except ImportError:
            raise UserError(
                "storage: PostgreSQL's driver is not installed; pip install 'psycopg[binary]'"
            ) from None
        except RuntimeError as error:  # Optuna raises it for a schema of another version
            raise UserError(
                f"storage: {shown(url)} was written by another version of Optuna "
                f"({_first_line(error)}); use that version, or --fresh"
            ) from None


def file_of(url: str) -> Path | None:
    """The file of a SQLite URL; raises UserError as `check_url` does."""
    parsed = check_url(url)
    return _sqlite_file(str(parsed.database)) if parsed.get_backend_name() == "sqlite" else None


def absolute(url: str) -> str:
    """The URL with an absolute path where it names a SQLite file: it must hold anywhere."""
    parsed = check_url(url)
    if parsed.get_backend_name() != "sqlite" or str(parsed.database).startswith("file:"):
        return url
    file = str(Path(str(parsed.database)).absolute())
    return parsed.set(database=file).render_as_string(hide_password=False)


def is_unused(file: Path) -> bool:
    """Whether a SQLite file has no trial and no claim of a study, so that it is nobody's.

    It may have some of Optuna's tables: a process that was killed as it made them leaves that.
    Raises UserError where the file is damaged.
    """
    _check_sqlite(file)
    with user_errors(str(file)), contextlib.closing(sqlite3.connect(file)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = {name for (name,) in names}
        if not tables <= set(models.BaseModel.metadata.tables) | {"alembic_version"}:
            return False
        return not any(
            connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()
            for table in tables & {"trials", "study_user_attributes"}
        )


def _sqlite_file(database: str) -> Path:
    """The file behind SQLAlchemy's database field, which may be a `file:` URI."""
    if database.startswith("file:"):
        return Path(unquote(urlsplit(database).path))
    return Path(database)


def _check_sqlite(file: Path) -> None:
    if not file.exists() or file.stat().st_size == 0:
        return
    with user_errors(str(file)):
        connection = sqlite3.connect(file, timeout=BUSY_TIMEOUT_S)
        try:
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        finally:
            connection.close()
    if verdict != "ok":
        raise _damaged(str(file))


def _damaged(where: str) -> UserError:
    return UserError(
        f"storage: {where} is damaged or not a SQLite database; put a good copy back, "
        "or start again with --fresh, which moves the old directory aside"
    )


@contextlib.contextmanager
def user_errors(where: str) -> Iterator[None]:
    """Turn errors of the database or disk into a UserError that says how to fix them."""
    try:
        yield
    except (SQLAlchemyError, StorageInternalError, sqlite3.Error, OSError) as error:
        raise _as_user_error(error, where) from error


def _as_user_error(error: BaseException, where: str) -> UserError:
    cause: BaseException = error
    while isinstance(cause, StorageInternalError) and cause.__cause__ is not None:
        cause = cause.__cause__
    connecting = isinstance(cause, OperationalError | InterfaceError)
    if isinstance(cause, DBAPIError) and cause.orig is not None:
        cause = cause.orig
    if connecting and not isinstance(cause, sqlite3.Error):
        return _unreachable(cause, where)
    text = _first_line(cause)
    if isinstance(cause, OSError):
        return of_disk(cause, where)
    if "disk is full" in text:
        return UserError(
            f"{where}: the disk is full; free some space and give the same command again, "
            "finished trials are kept"
        )
    if "readonly" in text or "read-only" in text.lower():
        return UserError(f"{where}: can't be written; make it writable or choose another --runs")
    if "locking protocol" in text:
        return UserError(
            f"{where}: this file system has no locks; put the database (--runs, or --storage) on "
            "another file system"
        )
    if "malformed" in text or "not a database" in text:
        return _damaged(where)
    if "locked" in text:
        return UserError(
            f"{where}: another program has held the database for {BUSY_TIMEOUT_S} seconds; "
            "close it and give the same command again"
        )
    return UserError(f"{where}: the database refused: {text}")


def _unreachable(cause: BaseException, where: str) -> UserError:
    """PostgreSQL's own message, which names host and user and never the password."""
    lines = [line.strip(" \t-") for line in str(cause).splitlines() if line.strip()]
    text = next((line for line in lines if re.search("refused|FATAL|could not|failed:", line)), "")
    text = (text or _first_line(cause)).rstrip(".")
    if "password" in text:
        fix = "give the right password in the URL, PGPASSWORD or ~/.pgpass"
    elif "No space left" in text:
        fix = "free some space on the server"
    else:
        fix = "check --storage, or start the server"
    return UserError(
        f"{where}: {text}; {fix}, then give the same command again, finished trials are kept"
    )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
