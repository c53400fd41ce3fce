"""The one place where errors become lines on stderr and exit codes."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import typer

from harness.core.errors import StudyHeldError, UserError
from harness.core.signals import Stopped, StopRequest
from harness.core.text import sanitize

USAGE, HELD = 2, 75

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


def run(app: typer.Typer, name: str) -> NoReturn:
    """Run a Typer app as a program; its return value, or its error's code, is the exit code."""
    stop.install()
    try:
        code = app(standalone_mode=False, prog_name=name)
    except UserError as error:
        code = _tell(str(error), USAGE)
    except StudyHeldError as error:
        code = _tell(str(error), HELD)
    except Stopped as stopped:
        code = _tell("stopped; the same command continues from here", stopped.code, "")
    except BrokenPipeError:
        # The reader of the output has ended; without this Python would complain again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except _UsageError as error:
        message = error.format_message()  # type: ignore[attr-defined]
        code = _tell(f"{message.rstrip('.')}. Try: {name} --help", USAGE)
    sys.exit(code or 0)


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
    print(prefix + sanitize(" ".join(message.split())), file=sys.stderr, flush=True)
    return code
