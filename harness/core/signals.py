"""SIGINT and SIGTERM: the first asks for a stop in good order, the second ends at once."""

import os
import signal
from types import FrameType


class Stopped(BaseException):
    """The user asked to stop; `code` is the exit code, 128 + the signal's number."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.code = 128 + signal_number


class StopRequest:
    """Takes SIGINT and SIGTERM for the process.

    While `deferred` is set a signal is only noted, in `received`, so that it can't land between
    two writes that belong together; otherwise it raises Stopped where the program is.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.deferred = False

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def check(self) -> None:
        """Raises Stopped if a signal has been noted."""
        if self.received is not None:
            raise Stopped(self.received)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            os._exit(128 + number)
        self.received = number
        if not self.deferred:
            raise Stopped(number)
