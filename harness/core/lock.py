"""Locks on files, which the operating system frees when their process ends."""

import contextlib
import fcntl
import os
import socket
from pathlib import Path

from harness.core.closing import Closing


class LockHeldError(Exception):
    """The lock is in use; the text is what its holder has signed with, or empty."""


class FileLock(Closing):
    """An exclusive lock on a file (`flock`), between processes and between threads.

    The kernel frees it when its process ends, however that ends, so a file left behind means
    nothing. The text of the file (see `sign`) is only for people to read. Making a FileLock opens
    the file, or creates it with `mode` less the umask; raises OSError where that is not possible.
    """

    def __init__(self, file: Path, mode: int = 0o644) -> None:
        # Not inherited by child processes, which would keep the lock. A link is refused: what it
        # points to would be emptied.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(file, flags, mode)

    def acquire(self) -> None:
        """Take the lock without waiting; raises LockHeldError, or OSError where there are none."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # some file systems say EACCES
            holder = os.pread(self._descriptor, 200, 0).decode(errors="replace").strip()
            raise LockHeldError(holder) from None

    def sign(self) -> None:
        """Write process id and host into the file; raises OSError where the disk is full."""
        os.ftruncate(self._descriptor, 0)
        os.pwrite(
            self._descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0
        )

    def touch(self) -> None:
        """Show that the holder is alive: the file's time becomes now."""
        os.utime(self._descriptor)

    def release(self) -> None:
        """Free an acquired lock: the file no longer names a holder."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
        self.close()

    def close(self) -> None:
        """Close the file, which frees the lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
