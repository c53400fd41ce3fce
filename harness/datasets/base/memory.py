"""Whether there is memory for something before it is read."""

import os
from pathlib import Path

from harness.core.errors import UserError


def free() -> int:
    """Bytes of memory that are free."""
    import psutil

    return int(psutil.virtual_memory().available)


def check_memory(path: Path, needed: int, available: int | None = None) -> None:
    """Raises UserError if `needed` bytes are more than the free memory, or than `available`."""
    available = free() if available is None else available
    if needed > available:
        raise UserError(
            f"{path} is too large for the memory here (it may take {needed / 1e9:.1f} GB, "
            f"{available / 1e9:.1f} GB are free); take a sample of its rows"
        )


def content(path: Path, memory_of_byte: int, option: str = "") -> bytes:
    """The bytes of a file, of which each takes `memory_of_byte` bytes to read.

    Raises UserError where there is no such file (after the `option` that named it), it can't be
    read, or there is no memory for it.
    """
    if not os.path.isfile(path):
        raise UserError(f"{option}{path}: no such file")
    check_memory(path, memory_of_byte * path.stat().st_size)
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
