"""What is shown while a study runs."""

import contextlib
import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time

import pytest
from rich.console import Console

from harness.core.metrics import MAE, metric_of
from harness.core.text import duration
from harness.search import progress
from harness.search.progress import Notebook, Plain, ProgressDisplay, Terminal

METRICS = {
    "epoch": 1, "loss": 0.6, "val_loss": 0.5, "val_accuracy": 0.81, "train_s": 3.0,
    "validation_s": 0.5, "compile_s": 2.0,
}  # fmt: skip


def play(board: ProgressDisplay) -> None:
    board.found("depth=1", "complete", 0.4, 0.83)
    board.found("depth=2", "failed", None, None)
    board.started("depth=1/1", "depth=1", 1, {"units": 12, "dropout": 0.25})
    board.built("depth=1/1", 1000)
    board.stepped("depth=1/1", 1, 40, 100, 0.65)
    board.epoch_done("depth=1/1", METRICS)


def test_plain_lines_tell_every_epoch_and_end() -> None:
    file = io.StringIO()
    board = Plain(["depth=1", "depth=2"], 4, 1, 5, verbose=True, file=file)
    play(board)
    board.ended("depth=1/1", "pruned", 0.5, 0.81, "")
    board.started("depth=2/1", "depth=2", 1, {})
    board.ended("depth=2/1", "failed", None, None, "diverged: loss nan in epoch 1")
    lines = file.getvalue().splitlines()
    assert lines[0] == "depth=1 trial 1 starts: units=12 dropout=0.25"
    assert lines[1] == (
        "depth=1 trial 1: epoch 1/5, val_loss 0.5000, accuracy 81.0 %, 3.5 s and 2.0 s compiling"
    )
    assert lines[2].startswith("depth=1 trial 1 pruned, best val_loss 0.5000; 3 of 8 trials done")
    assert "failed (diverged: loss nan in epoch 1); 4 of 8 trials done" in lines[4]


def test_a_notebook_has_one_line_that_is_written_again() -> None:
    file = io.StringIO()
    board = Notebook(["depth=1", "depth=2"], 4, 1, 5, file=file)
    board.clock = lambda: 720.0
    with board:
        play(board)
        board.tick()
        board.ended("depth=1/1", "pruned", 0.5, 0.81, "")
        board.started("depth=2/1", "depth=2", 1, {})
        board.ended("depth=2/1", "failed", None, None, "diverged: loss nan in epoch 1")
    *lines, last = file.getvalue().split("\n")
    assert last == ""
    assert len(lines) == 2  # what failed stays, below it the line
    assert "2 of 8 trials done, about 12 min left · depth=1: epoch 1/5" in lines[0]
    assert (
        lines[0].split("\r")[-1].rstrip()
        == "depth=2 trial 1 failed (diverged: loss nan in epoch 1)"
    )
    assert lines[1].split("\r")[-1].rstrip() == "4 of 8 trials done, about 12 min left"


def test_errors_are_shown_in_their_unit() -> None:
    file = io.StringIO()
    board = Plain(["depth=1", "depth=2"], 4, 1, 5, file=file)
    board.metric = metric_of({"metric": MAE, "unit": "units", "mase_scale": 12.0})
    board.started("depth=1/1", "depth=1", 1, {})
    board.built("depth=1/1", 10)
    board.epoch_done("depth=1/1", {**METRICS, "val_accuracy": 7.123})
    assert ", val_loss 0.5000, MAE 7.12 units, 3.5 s" in file.getvalue()


def test_plain_is_never_silent_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    board = Plain(["depth=1", "depth=2"], 4, 1, 5, file=file)
    board.started("depth=1/0", "depth=1", 0, {})
    board.tick()
    assert file.getvalue().count("\n") == 1
    now, late = time.monotonic, 6.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now() + late)
    board.tick()
    assert "depth=1 trial 0: waiting for a worker, 6 s" in file.getvalue()
    board.sent("depth=1/0")
    late = 13.0
    board.tick()
    assert "depth=1 trial 0: building and compiling, 7 s" in file.getvalue()


def test_the_terminal_shows_arms_counts_running_best_and_time_left() -> None:
    board = Terminal(["depth=1", "depth=2"], 4, 1, 5)
    play(board)
    board.started("depth=2/1", "depth=2", 1, {})
    board.ended("depth=2/1", "complete", 0.45, 0.8, "")
    board.clock = lambda: 720.0
    board._console = console = Console(file=io.StringIO(), width=120)
    console.print(board._render())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    rows = text.splitlines()
    assert " ".join(rows[1].split()) == (
        "depth=1 1/4 0.4000 83.0% trial 1: epoch 1/5, loss 0.6000, val_loss 0.5000"
    )
    assert rows[0].split() == ["arm", "trials", "failed", "val_loss", "accuracy", "now"]
    assert rows[2].split()[:3] == ["depth=2", "2/4", "1"]
    assert "3 of 8 trials done, about 12 min left" in text


def test_codes_for_the_terminal_are_spelled_out(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b]0;title\x07 \x1b[31mred \u202eabc"
    file = io.StringIO()
    Plain(["a"], 4, 1, 5, file=file).notify(hostile)
    Terminal([hostile], 4, 1, 5).notify(hostile)
    shown = file.getvalue() + capsys.readouterr().err
    assert shown.count(r"\x1b[31mred \u202eabc") == 2
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


def test_hostile_text_is_shown_as_it_stands() -> None:
    board = Terminal(["[red]x[/]"], 4, 1, 5)
    console = Console(file=io.StringIO(), width=120)
    console.print(board._render())
    assert "[red]x[/]" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "text"), [(3, "3 s"), (89, "89 s"), (600, "10 min"), (12_600, "3.5 h")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


SHOW = """
import sys
from harness.search.progress import Terminal
names = ["an arm whose name is long enough for two lines, search 2", "b" * 30, "depth=1"]
board = Terminal(names, 12, 2, 5)
board.clock = lambda: 5400.0
with board:
    for trial, name in enumerate(names):
        board.found(name, "complete", 0.4321, 0.8765)
        board.started(f"{name}/{trial}", name, trial, {})
        board.sent(f"{name}/{trial}")
        board.built(f"{name}/{trial}", 1000)
        board.stepped(f"{name}/{trial}", 1, 40, 100, 0.65)
    board.started("waiting", names[0], 11, {})
"""


@pytest.mark.parametrize("width", [80, 60])
def test_the_live_table_never_wraps_and_has_no_empty_columns(width: int) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    shown = b""
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment = {n: v for n, v in environment.items() if n not in ("COLUMNS", "LINES")}
    with subprocess.Popen([sys.executable, "-c", SHOW], stderr=theirs, env=environment) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # how a pty ends
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    assert process.returncode == 0
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    frame = text.splitlines()[-6:]  # the last one: heads, three arms, one of them twice, a note
    assert all(len(line.rstrip()) <= width for line in text.splitlines()), text
    assert frame[0].split() == ["arm", "trials", "val_loss", "accuracy", "now"]
    for line, part in zip(
        frame[1:], ("0: epoch 1/5", "11: waiting", "1: epoch 1/5", "2: epoch 1/5", "1.5 h left"),
        strict=True,
    ):  # fmt: skip
        assert part in line
