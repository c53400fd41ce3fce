"""The one place where errors become lines on stderr and exit codes."""

import contextlib
import os
import re
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import Any, NoReturn, TextIO

import typer

from harness.core.errors import StudyHeldError, UserError, of_disk
from harness.core.signals import STOPPED, Stopped, StopRequest
from harness.core.text import sanitize

USAGE, DEFECT, HELD = 2, 70, 75
CLOSED = 128 + signal.SIGPIPE  # the reader of the output has ended, as in `| head -1`

SCRIPT = "harness"
_MODULE = re.compile(r"python -m harness\.(?=[a-z])")

# Typer's exception for a wrong command line, wherever it keeps click.
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]

stop = StopRequest()


def application(**options: Any) -> typer.Typer:
    """A Typer app for a command: plain help, also by -h; `run` handles its errors."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        **options,
    )


def notify(text: str, file: TextIO | None = None) -> None:
    """A line on stderr. Where nobody can read it (a full disk, a closed pipe), work goes on."""
    with contextlib.suppress(OSError):
        print(text, file=file or sys.stderr, flush=True)


def run(app: typer.Typer, name: str) -> NoReturn:
    """Run a Typer app as a program; its return value, or its error's code, is the exit code."""
    stop.install()
    for stream in (sys.stdout, sys.stderr):
        # What the terminal's encoding does not have is shown as an escape.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app(standalone_mode=False, prog_name=name)
        code = _flush() or code
    except UserError as error:
        code = _tell(as_called(str(error), name), USAGE)
    except StudyHeldError as error:
        code = _tell(as_called(str(error), name), HELD)
    except Stopped as stopped:
        code = _tell(STOPPED, stopped.code, "")
    except SystemExit as ended:  # Typer has caught the end of the output's reader
        closed = isinstance(ended.__context__, BrokenPipeError)
        code = CLOSED if closed else ended.code
    except OSError as error:
        code = _flush() or _tell(str(of_disk(error)), USAGE)
    except _UsageError as error:
        message = error.format_message()  # type: ignore[attr-defined]
        context = getattr(error, "ctx", None)
        verb = name if context is None else context.command_path
        code = _tell(f"{message.rstrip('.')}. Try: {verb} --help", USAGE)
    except Exception:  # a defect of this program: only then a traceback, with a code of its own
        traceback.print_exc()
        code = DEFECT
    _flush()
    _flush(sys.stderr)  # progress that nobody can read is no reason for another exit code
    sys.exit(code or 0)


def as_called(text: str, name: str) -> str:
    """The text, with its commands as verbs of the `harness` script where that is what runs."""
    return _MODULE.sub("harness ", text) if name == SCRIPT else text


def _flush(stream: TextIO | None = None) -> int | None:
    """Write out what stdout (or `stream`) still holds; the exit code where that is impossible."""
    stream = stream or sys.stdout
    try:
        stream.flush()
    except OSError as error:
        # Without this Python would complain again at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            return CLOSED
        return _tell(f"the output can't be written: {error.strerror}", USAGE)
    return None


@contextlib.contextmanager
def without_stderr() -> Iterator[None]:
    """Nothing reaches stderr in the block: TensorFlow writes lines there while it is imported."""
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    try:
        sys.stderr.flush()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _tell(message: str, code: int, prefix: str = "error: ") -> int:
    notify(prefix + sanitize(" ".join(message.split())))
    return code
