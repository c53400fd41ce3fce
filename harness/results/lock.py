"""A lock on a run directory: a study has one coordinator at a time."""

import contextlib
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

from harness.core import files
from harness.core.errors import StudyHeldError, UserError, of_disk
from harness.core.lock import FileLock, LockHeldError

# The holder touches its file so often. Other machines take it as dead after SILENT_S.
TOUCH_S, SILENT_S = 30.0, 300.0
# How file systems say that they have no locks, such as Lustre without -o flock.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL)


@contextlib.contextmanager
def hold(file: Path) -> Iterator[None]:
    """Keep the lock of `file` while the block runs.

    Raises StudyHeldError, which names the holder, and UserError where the file can't be written or
    its file system has no locks.
    """
    try:
        files.make_folder(file.parent)
        lock = FileLock(file)
    except OSError as error:
        raise _unusable(error, file) from None
    with lock:
        try:
            lock.acquire()
        except LockHeldError as held:
            raise StudyHeldError(
                f"{file.parent} is in use by {str(held) or 'another process'}; "
                "wait until it ends, or stop it, then run the same command again"
            ) from None
        except OSError as error:
            raise _unusable(error, file) from None
        try:
            lock.sign()
        except OSError as error:
            raise of_disk(error, str(file)) from None
        ended = threading.Event()
        alive = threading.Thread(target=_keep_alive, args=(lock, ended), daemon=True)
        alive.start()
        try:
            yield
        finally:
            ended.set()
            alive.join()
        lock.release()


def _keep_alive(lock: FileLock, ended: threading.Event) -> None:
    while not ended.wait(TOUCH_S):
        with contextlib.suppress(OSError):
            lock.touch()


def _unusable(error: OSError, file: Path) -> UserError:
    if error.errno in _NO_LOCKS:
        return UserError(
            f"{file.parent}: this file system has no locks ({error.strerror}), so two processes "
            "could run one study; put --runs on another file system"
        )
    if error.errno == errno.ELOOP:
        return UserError(f"{file} is a link; remove it and run the same command again")
    if error.errno == errno.EISDIR:
        return UserError(f"{file} is a folder; move it away and run the same command again")
    if error.errno == errno.ENOSPC:
        return of_disk(error, str(file))
    return UserError(f"{file.parent}: {error.strerror}; make it writable or choose another --runs")
