"""What a study shows while it runs: a live table, a line in a notebook, plain lines elsewhere.

All of it goes to stderr. It is never silent for more than a few seconds.
"""

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TextIO

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.core import console
from harness.core.closing import Closing
from harness.core.metrics import Metric
from harness.core.text import duration, sanitize, short

HEARTBEAT_S = 5.0
NOTEBOOK_S, NOTEBOOK_WIDTH = 0.5, 110
GAP = 2  # between the columns of the live table
ACCURACIES = Metric()


@dataclass
class Running:
    """A running training, with what its worker has reported."""

    arm: str
    trial: int
    epochs: int
    since: float
    sent: bool = False  # to a worker; on a cluster it may wait for a free node
    parameters: int | None = None
    epoch: int = 0
    step: int = 0
    steps: int = 0
    loss: float | None = None
    val_loss: float | None = None

    def describe(self) -> str:
        return ", ".join(self.parts())

    def parts(self) -> list[str]:
        """What is known of it, the most important first."""
        if not self.epoch:
            what = "building and compiling" if self.sent else "waiting for a worker"
            return [what, f"{time.monotonic() - self.since:.0f} s"]
        found = [f"epoch {self.epoch}/{self.epochs}"]
        if self.steps:
            found.append(f"step {self.step}/{self.steps}")
        if self.loss is not None:
            found.append(f"loss {self.loss:.4f}")
        if self.val_loss is not None:
            found.append(f"val_loss {self.val_loss:.4f}")
        return found


@dataclass
class ArmProgress:
    done: Counter[str] = field(default_factory=Counter)
    value: float | None = None
    val_accuracy: float | None = None


class ProgressDisplay(Closing):
    """The progress of a running study; shows nothing itself, `Plain` and `Terminal` do.

    It counts `trials` trainings for each arm. `noun` is what they are called, and `metric` that of
    their validation scores.
    """

    def __init__(
        self,
        arms: Sequence[str],
        trials: int,
        workers: int,
        epochs: int,
        *,
        noun: str = "trial",
        metric: Metric = ACCURACIES,
    ) -> None:
        self.noun = noun
        self.metric = metric
        self.arms = {arm: ArmProgress() for arm in arms}
        self.trials = trials
        self.workers = workers
        self.epochs = epochs
        self.own_epochs: dict[str, int] = {}  # of arms that have others
        self.running: dict[str, Running] = {}
        # Seconds that the study still takes, as harness.analysis.clock estimates them.
        self.clock: Callable[[], float | None] = lambda: None

    def notify(self, text: str) -> None:
        """Show a line of text."""

    def tick(self) -> None:
        """Called a few times each second, whether or not anything has happened."""

    def found(self, arm: str, state: str, value: float | None, accuracy: float | None) -> None:
        """Count a trial that ended in an earlier session."""
        self._count(arm, state, value, accuracy)

    def started(self, task: str, arm: str, trial: int, params: Mapping[str, Any]) -> None:
        epochs = self.own_epochs.get(arm, self.epochs)
        self.running[task] = Running(arm, trial, epochs, time.monotonic())

    def sent(self, task: str) -> None:
        self.running[task].since = time.monotonic()
        self.running[task].sent = True

    def built(self, task: str, parameters: int) -> None:
        self.running[task].parameters = parameters
        self.running[task].epoch = 1

    def stepped(self, task: str, epoch: int, step: int, steps: int, loss: float) -> None:
        running = self.running[task]
        running.epoch, running.step, running.steps, running.loss = epoch, step, steps, loss

    def epoch_done(self, task: str, metrics: Mapping[str, float]) -> None:
        running = self.running[task]
        running.epoch, running.val_loss = int(metrics["epoch"]), metrics["val_loss"]
        running.loss, running.step, running.steps = metrics["loss"], 0, 0

    def ended(
        self, task: str, state: str, value: float | None, accuracy: float | None, reason: str
    ) -> None:
        running = self.running.pop(task)
        self._count(running.arm, state, value, accuracy)

    def _count(self, arm: str, state: str, value: float | None, accuracy: float | None) -> None:
        progress = self.arms[arm]
        progress.done[state] += 1
        if (
            state == "complete"
            and value is not None
            and (progress.value is None or value < progress.value)
        ):
            progress.value, progress.val_accuracy = value, accuracy

    @property
    def total(self) -> int:
        return self.trials * len(self.arms)

    @property
    def finished(self) -> int:
        return sum(arm.done.total() for arm in self.arms.values())

    def time_left(self) -> str:
        """Of the whole study, profile included; empty while nothing is known."""
        left_s = self.clock()
        return "" if left_s is None else f"about {duration(left_s)} left"


class Plain(ProgressDisplay):
    """Lines for logs and pipes; `verbose` adds each trial's hyperparameters."""

    def __init__(
        self,
        *args: Any,
        noun: str = "trial",
        metric: Metric = ACCURACIES,
        verbose: bool = False,
        file: TextIO | None = None,
    ) -> None:
        super().__init__(*args, noun=noun, metric=metric)
        self._verbose = verbose
        self._file = file
        self._last = time.monotonic()

    def notify(self, text: str) -> None:
        console.notify(sanitize(text), self._file)
        self._last = time.monotonic()

    def tick(self) -> None:
        if time.monotonic() - self._last < HEARTBEAT_S:
            return
        for running in self.running.values():
            self.notify(f"{running.arm} {self.noun} {running.trial}: {running.describe()}")

    def started(self, task: str, arm: str, trial: int, params: Mapping[str, Any]) -> None:
        super().started(task, arm, trial, params)
        shown = f": {short(params)}" if self._verbose and params else ""
        self.notify(f"{arm} {self.noun} {trial} starts{shown}")

    def epoch_done(self, task: str, metrics: Mapping[str, float]) -> None:
        super().epoch_done(task, metrics)
        running = self.running[task]
        # Baselines may have many short epochs: a line of each would hide the others.
        if running.epochs > self.epochs and time.monotonic() - self._last < HEARTBEAT_S:
            return
        self.notify(
            f"{running.arm} {self.noun} {running.trial}: epoch {running.epoch}/{running.epochs}, "
            f"val_loss {metrics['val_loss']:.4f}, "
            f"{self.metric.name} {self.metric.text(metrics['val_accuracy'])}, "
            f"{metrics['train_s'] + metrics['validation_s']:.1f} s"
            + (f" and {metrics['compile_s']:.1f} s compiling" if metrics["compile_s"] else "")
        )

    def ended(
        self, task: str, state: str, value: float | None, accuracy: float | None, reason: str
    ) -> None:
        running = self.running[task]
        super().ended(task, state, value, accuracy, reason)
        outcome = f", best val_loss {value:.4f}" if value is not None else ""
        why = f" ({reason})" if reason else ""
        left = self.time_left()
        self.notify(
            f"{running.arm} {self.noun} {running.trial} {state}{why}{outcome}; "
            f"{self.finished} of {self.total} {self.noun}s done{left and f', {left}'}"
        )


class Notebook(ProgressDisplay):
    """One line that is written again and again; what went wrong stays, as lines above it."""

    def __init__(self, *args: Any, noun: str = "trial", file: TextIO | None = None) -> None:
        super().__init__(*args, noun=noun)
        self._file = file
        self._shown, self._at = "", 0.0

    def notify(self, text: str) -> None:
        self._write("\r" + sanitize(text).ljust(len(self._shown)) + "\n")
        self._shown = ""

    def tick(self) -> None:
        if time.monotonic() - self._at >= NOTEBOOK_S:
            self._show()

    def ended(
        self, task: str, state: str, value: float | None, accuracy: float | None, reason: str
    ) -> None:
        running = self.running[task]
        super().ended(task, state, value, accuracy, reason)
        if reason:
            self.notify(f"{running.arm} {self.noun} {running.trial} {state} ({reason})")
        self._show()

    def close(self) -> None:
        self._show()
        self._write("\n")

    def _show(self) -> None:
        text = f"{self.finished} of {self.total} {self.noun}s done"
        if left := self.time_left():
            text += f", {left}"
        now = [f"{each.arm}: {each.parts()[0]}" for each in list(self.running.values())]
        line = _fit(f"{text} · {', '.join(now)}" if now else text, NOTEBOOK_WIDTH)
        self._write("\r" + line.ljust(len(self._shown)))
        self._shown, self._at = line, time.monotonic()

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody can read it: work goes on
            print(text, end="", file=self._file or sys.stderr, flush=True)


class Terminal(ProgressDisplay):
    """A live table: arms, counts, the running trials, the best so far."""

    def __init__(self, *args: Any, noun: str = "trial", metric: Metric = ACCURACIES) -> None:
        super().__init__(*args, noun=noun, metric=metric)
        self._console = Console(stderr=True, markup=False, highlight=False)
        self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def close(self) -> None:
        self._live.stop()

    def notify(self, text: str) -> None:
        self._console.print(Text(sanitize(text)))

    def _render(self) -> RenderableType:
        # A copy: the display's thread draws while the coordinator changes the original.
        running = list(self.running.values())
        columns: dict[str, list[str]] = {
            "arm": [_fit(name, max(8, self._console.width // 3 - 2)) for name in self.arms],
            f"{self.noun}s": [f"{arm.done.total()}/{self.trials}" for arm in self.arms.values()],
            "pruned": [str(arm.done["pruned"] or "") for arm in self.arms.values()],
            "failed": [str(arm.done["failed"] or "") for arm in self.arms.values()],
            "val_loss": [_digits(arm.value) for arm in self.arms.values()],
            self.metric.title: [self._score(arm) for arm in self.arms.values()],
        }
        columns = {title: cells for title, cells in columns.items() if any(cells)}
        taken = sum(max(map(cell_len, [title, *cells])) + GAP for title, cells in columns.items())
        width = self._console.width - taken
        columns["now"] = [self._now(name, running, width) for name in self.arms]
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title in columns:
            # Nothing may be cut in the middle, or wrap: what does not fit was left out above.
            table.add_column(title, no_wrap=True, overflow="ellipsis")
        for row in zip(*columns.values(), strict=True):
            table.add_row(*map(Text, row))
        note = f"{self.finished} of {self.total} {self.noun}s done"
        if running:
            note += f", {self.time_left() or 'timing the first'}"
        return Group(table, Text(note, no_wrap=True, overflow="ellipsis"))

    def _score(self, arm: ArmProgress) -> str:
        return "" if arm.val_accuracy is None else self.metric.cell(arm.val_accuracy)

    def _now(self, arm: str, running: Sequence[Running], width: int) -> str:
        """A line for each of the arm's running trainings: as much of it as fits."""
        lines = []
        for each in running:
            if each.arm != arm:
                continue
            line, *more = each.parts()
            line = f"{each.trial}: {line}"
            named = f"{self.noun} {line}"
            line = named if len(named) <= width else line
            for part in more:
                if len(line) + 2 + len(part) > width:
                    break
                line += f", {part}"
            lines.append(_fit(line, max(1, width)))
        return "\n".join(lines)


def _fit(text: str, width: int) -> str:
    """One line that takes so many columns of a terminal at most; `…` stands for the rest."""
    line = Text(sanitize(text))
    line.truncate(width, overflow="ellipsis")
    return line.plain


def _digits(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.4f}"
