"""One coordinator a study: an OS lock on a file in the run directory."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from harness.core.errors import StudyHeldError, UserError


@contextlib.contextmanager
def hold(file: Path) -> Iterator[None]:
    """Hold the lock while the block runs; raises StudyHeldError naming who has it.

    The lock is the kernel's (`flock`): it goes with its process, however that ends, so a file
    left behind means nothing. The file's text, process id and host, is for people only.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Not inherited by workers, which would go on holding it.
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UserError(
            f"{file.parent}: {error.strerror}; make it writable or choose another --runs"
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 200).decode(errors="replace").strip()
            raise StudyHeldError(
                f"{file.parent} is in use by {holder or 'another process'}; "
                "wait for it to end or stop it, then give the same command again"
            ) from None
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
        except OSError as error:
            raise UserError(
                f"{file}: {error.strerror}: the disk is full; free some space and give the same "
                "command again"
            ) from None
        yield
        # Whoever reads the file now sees that nobody holds it.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)
