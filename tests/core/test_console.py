"""Errors become one line on stderr and an exit code; tried in processes of their own."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# A command whose body is filled in.
PROGRAM = """
import os, signal, sys
from harness.core import console
from harness.core.errors import StudyHeldError, UserError

app = console.application()

@app.command()
def main(number: int = 0):
    '''A command for a test.'''
    {body}

console.run(app, "python -m toy")
"""


def command(body: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = PROGRAM.format(body=body)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=200
    )


@pytest.mark.parametrize(
    ("body", "code", "err"),
    [
        ("raise UserError('depth: 0 is too few')", 2, "error: depth: 0 is too few\n"),
        ("raise StudyHeldError('tiny is in use')", 75, "error: tiny is in use\n"),
        ("return 3", 3, ""),
        ("return None", 0, ""),
    ],
)
def test_exit_codes(body: str, code: int, err: str) -> None:
    ended = command(body)
    assert (ended.returncode, ended.stderr) == (code, err)


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_with_its_code_and_a_hint(name: str, code: int) -> None:
    ended = command(f"os.kill(os.getpid(), signal.{name})")
    assert ended.returncode == code
    assert ended.stderr == "stopped; the same command continues from here\n"


def test_a_message_is_one_line_without_terminal_codes() -> None:
    ended = command(r"raise UserError('a\nb\t c \x1b[31mred\u202e')")
    assert ended.returncode == 2
    assert ended.stderr == "error: a b c \\x1b[31mred\\u202e\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [(["--depht", "2"], "No such option"), (["--number", "x"], "valid integer")],
)
def test_a_wrong_command_line_names_the_help(arguments: list[str], problem: str) -> None:
    ended = command("print('not reached')", *arguments)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: ")
    assert problem in ended.stderr
    assert ended.stderr.endswith(". Try: python -m toy --help\n")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option: str) -> None:
    ended = command("print('not reached')", option)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "A command for a test." in ended.stdout


def test_a_defect_keeps_its_traceback_and_has_a_code_of_its_own() -> None:
    ended = command("1 / 0")
    assert ended.returncode == 70
    assert "Traceback" in ended.stderr
    assert "ZeroDivisionError" in ended.stderr


def test_a_closed_output_ends_quietly() -> None:
    """As in `harness status | head -1`: the reader has ended, and nothing is printed about it."""
    reader, writer = os.pipe()
    os.close(reader)
    code = PROGRAM.format(body="print('a line', flush=True)")
    ended = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=200
    )
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1"])
def test_what_the_terminal_cannot_show_is_an_escape(encoding: str) -> None:
    code = PROGRAM.format(body=r"print('\u2212 \u00e4')")
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=200,
        env={**os.environ, "PYTHONIOENCODING": encoding},
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"\\u2212 ")


@pytest.mark.parametrize("body", ["print('a line')", "print('x' * 100_000)", "print('a', flush=1)"])
def test_a_full_output_is_one_line(body: str) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(body=body)], stdout=full,
            stderr=subprocess.PIPE, text=True, timeout=200,
        )  # fmt: skip
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert re.match("error: (the output can't be written|the disk is full)", ended.stderr)


def test_progress_that_nobody_can_read_stops_nothing() -> None:
    code = PROGRAM.format(body="console.notify('a line'); return 3")
    with open("/dev/full", "w") as full:
        ended = subprocess.run([sys.executable, "-c", code], stderr=full, timeout=200)
    assert ended.returncode == 3


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("OSError(28, 'No space left on device', '/x/y')", "/x/y: the disk is full; free some"),
        ("OSError(30, 'Read-only file system', '/x/y')", "/x/y: can't be read or written (Read-"),
        ("OSError(21, 'Is a directory', '/x/y')", "/x/y: Is a directory; move away what is there"),
        ("OSError(5, 'Input/output error')", "Input/output error; correct that"),
        ("OSError(28, 'No space', '/' + 'x' * 5000)", "xxx…xxx"),
    ],
)
def test_what_the_disk_refuses_is_one_line(error: str, words: str) -> None:
    ended = command(f"raise {error}")
    assert ended.returncode == 2
    assert words in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert len(ended.stderr) < 500


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "program",
    [["-m", "harness.study", "lstm_depth"], ["-m", "harness.report", "lstm_depth"],
     ["-m", "harness.contest", "x"], ["-m", "harness.profile", "x"],
     ["-c", "from harness.commands.main import main; main()"]],
)  # fmt: skip
def test_a_signal_among_the_first_imports(
    program: list[str], number: signal.Signals, tmp_path: Path
) -> None:
    """Sent as soon as Typer is looked for, which every command imports first."""
    (tmp_path / "typer.py").write_text(f"import os; os.kill(os.getpid(), {int(number)})\n")
    ended = subprocess.run(
        [sys.executable, *program], capture_output=True, text=True, timeout=200, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (128 + number, "")
    assert ended.stderr == "stopped; the same command continues from here\n"
