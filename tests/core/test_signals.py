"""A first signal stops in order, a second at once; tried in processes of their own."""

import signal
import subprocess
import sys

import pytest

from harness.core.signals import Stopped, StopRequest

# Prints what happens between two signals that the process sends to itself.
PROGRAM = """
import os, sys
from harness.core.signals import Stopped, StopRequest

stop = StopRequest()
stop.install()
stop.deferred = {deferred}
try:
    os.kill(os.getpid(), {number})
    print("written", flush=True)
    stop.check()
    print("not reached", flush=True)
except Stopped as stopped:
    print(stopped, stopped.code, flush=True)
if {again}:
    os.kill(os.getpid(), {number})
    print("not reached", flush=True)
"""


def outcome(number: int, *, deferred: bool = False, again: bool = False) -> tuple[int, list[str]]:
    """The exit code and the lines of PROGRAM."""
    code = PROGRAM.format(number=int(number), deferred=deferred, again=again)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=200
    )
    assert ended.stderr == ""
    return ended.returncode, ended.stdout.splitlines()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_interrupts(number: signal.Signals, code: int) -> None:
    assert outcome(number) == (0, [f"{number.name} {code}"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_deferred_signal_waits_for_the_check(number: signal.Signals) -> None:
    returned, lines = outcome(number, deferred=True)
    assert (returned, lines) == (0, ["written", f"{number.name} {128 + number}"])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("deferred", [False, True])
def test_a_second_signal_ends_the_process(
    number: signal.Signals, code: int, deferred: bool
) -> None:
    returned, lines = outcome(number, deferred=deferred, again=True)
    assert returned == code
    assert lines[-1] == f"{number.name} {code}"


def test_without_a_signal_the_check_passes() -> None:
    StopRequest().check()


def test_broad_handlers_do_not_catch_a_stop() -> None:
    assert not issubclass(Stopped, Exception)
