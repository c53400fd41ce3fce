"""A lock on a run directory: a study has one coordinator at a time."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import StudyHeldError, UserError
from harness.core.lock import FileLock, LockHeldError


@contextlib.contextmanager
def hold(file: Path) -> Iterator[None]:
    """Keep the lock of `file` while the block runs.

    Raises StudyHeldError, which names the holder, and UserError where the file can't be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(file)
    except OSError as error:
        raise UserError(
            f"{file.parent}: {error.strerror}; make it writable or choose another --runs"
        ) from None
    with lock:
        try:
            lock.acquire()
        except LockHeldError as held:
            raise StudyHeldError(
                f"{file.parent} is in use by {str(held) or 'another process'}; "
                "wait until it ends, or stop it, then run the same command again"
            ) from None
        try:
            lock.sign()
        except OSError as error:
            raise UserError(
                f"{file}: {error.strerror}: the disk is full; free some space and run the same "
                "command again"
            ) from None
        yield
        lock.release()
