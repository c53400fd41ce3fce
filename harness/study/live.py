"""How long a running study still takes, for its live table. No Keras."""

import time
from datetime import UTC, datetime
from pathlib import Path

from harness.analysis.clock import time_left
from harness.core.errors import UserError
from harness.results.records import read_records

FRESH_S = 1.0  # an estimate is not made more often
CLOCK_SHARE = 0.05  # of the time, that reading the study's files for the estimate may take


class LiveClock:
    """Seconds left, from the run directory's files; between two readings the time just passes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._left_s: float | None = None
        self._read_at, self._next_at = 0.0, 0.0  # of time.monotonic()

    def __call__(self) -> float | None:
        """None while nothing is known."""
        now = time.monotonic()
        if now >= self._next_at:
            first = not self._read_at  # it also imports scipy
            self._read()
            self._read_at = time.monotonic()
            took_s = 0.0 if first else self._read_at - now
            self._next_at = self._read_at + max(FRESH_S, took_s / CLOCK_SHARE)
        if self._left_s is None:
            return None
        return max(0.0, self._left_s - (time.monotonic() - self._read_at))

    def _read(self) -> None:
        try:
            left = time_left(read_records(self._root), datetime.now(UTC))
        except (UserError, OSError):  # a training's files are being written; the next time is soon
            return
        self._left_s = None if left is None else left.seconds
