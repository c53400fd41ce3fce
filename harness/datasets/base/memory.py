"""Whether there is memory for something before it is read."""

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
