"""SIGINT and SIGTERM: the first asks for an orderly stop, the second ends the process at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

STOPPED = "stopped; the same command continues from here"


class Stopped(BaseException):
    """The user asked to stop; `code` is the exit code, 128 + the signal's number."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.code = 128 + signal_number


def exit_at_once() -> None:
    """Until a StopRequest is installed, a signal ends the process: there is nothing to save yet.

    Programs call it before their other imports, which take a second. An exception in the middle of
    an import would be a traceback, or would be lost in a library's handler.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _exit)


def _exit(number: int, frame: FrameType | None) -> None:
    os.write(2, f"{STOPPED}\n".encode())
    os._exit(128 + number)


class StopRequest:
    """Handles SIGINT and SIGTERM of the process.

    A signal raises Stopped wherever the program is. While `deferred` is set, it is only recorded
    in `received`, so that it can't interrupt two writes that belong together.
    """

    def __init__(self) -> None:
        self.received: int | None = None
        self.deferred = False

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    @contextlib.contextmanager
    def in_block(self) -> Iterator[None]:
        """Handle SIGINT in the block only, which ends with KeyboardInterrupt then.

        For a study that is part of another program, such as a notebook. A second signal interrupts
        what the first one has to wait for. Outside of the main thread Python handles no signals.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def handle(number: int, frame: FrameType | None) -> None:
            if self.received is not None:
                raise KeyboardInterrupt
            self._on_signal(number, frame)

        before = signal.signal(signal.SIGINT, handle)
        try:
            yield
        except Stopped:
            raise KeyboardInterrupt(STOPPED) from None
        finally:
            signal.signal(signal.SIGINT, before or signal.default_int_handler)
            self.received = None

    def check(self) -> None:
        """Raises Stopped if a signal has been recorded."""
        if self.received is not None:
            raise Stopped(self.received)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None:
            os._exit(128 + number)
        self.received = number
        if not self.deferred:
            raise Stopped(number)
