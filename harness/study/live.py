"""What a running study shows besides its table: the time left, and its page. No Keras.

The page is written by a process of its own, `python -m harness.study.live DIR`, which the study
starts after PAGE_AFTER_S: workers and coordinator do not wait for it. It takes PAGE_SHARE of one
processor's time at most. When its standard input closes, it ends.
"""

import contextlib
import os
import select
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.analysis.clock import time_left
from harness.core import files
from harness.core.errors import UserError
from harness.results.records import Records, read_records
from reports import write

FRESH_S = 1.0  # an estimate is not made more often
PAGE_AFTER_S, PAGE_SHARE = 30.0, 0.1
LOOK_S = 1.0  # between two looks whether there is something new, at least
NICE = 10  # of the process that writes the page: trainings come first
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


class LivePage:
    """Keeps the study's page up to date in the block, until `end` or the end of the block.

    Where the block ends with an error, a page of what there is replaces the live one. In a `short`
    study there is no live page: it would cost a part of its time, and come shortly before the end.
    """

    def __init__(self, root: Path, *, short: bool = False) -> None:
        self._root = root
        self._short = short
        self._writer: subprocess.Popen[bytes] | None = None
        self._timer = threading.Timer(PAGE_AFTER_S, self._start)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if not self._short:
            self._timer.start()
        return self

    def _start(self) -> None:
        # Without it the study goes on: it only has no page while it runs.
        with contextlib.suppress(OSError):
            self._writer = subprocess.Popen(
                [sys.executable, "-m", "harness.study.live", str(self._root.absolute())],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"},
                start_new_session=True,  # the coordinator handles the signals of a terminal
            )

    def end(self) -> None:
        """Write no more from now on: what is measured next needs the machine for itself."""
        self._timer.cancel()
        if self._timer.is_alive():
            self._timer.join()
        if self._writer is not None:
            self._writer.kill()
            self._writer.communicate()
            self._writer = None
            files.remove_litter(self._root)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()
        if error is not None:
            with contextlib.suppress(Exception):  # the first error is the one to show
                write.write(self._root)


def keep_page(root: Path) -> None:
    """Write the page again and again, whenever a training has begun, had an epoch or ended.

    When standard input closes, the study's process has ended without ending this one: then the page
    is written once more, as that of a study that does not run.
    """
    os.nice(NICE)
    began, shown = time.monotonic() - PAGE_AFTER_S, None
    while not _closed(LOOK_S):
        if time.process_time() > PAGE_SHARE * (time.monotonic() - began):
            continue
        with contextlib.suppress(UserError, OSError):  # files are being written
            records = read_records(root)
            if _state(records) != shown:
                shown = _state(records)
                write.write_records(records, listed=False, live=True)
    if shown is not None:
        with contextlib.suppress(UserError, OSError):
            write.write(root)


def _state(records: Records) -> tuple[int, ...]:
    tables = records.trials, records.replicates, records.epochs, records.replicate_epochs
    ended = [int((table["state"] != "running").sum()) for table in tables[:2]]
    return (*map(len, tables), *ended)


def _closed(within_s: float) -> bool:
    """Whether standard input closes within so many seconds."""
    ready, _, _ = select.select([sys.stdin], [], [], within_s)
    return bool(ready) and not os.read(sys.stdin.fileno(), 1)


if __name__ == "__main__":
    keep_page(Path(sys.argv[1]))
