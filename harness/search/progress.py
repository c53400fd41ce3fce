"""What a study shows while it runs: a live table on a terminal, plain lines elsewhere.

All of it goes to stderr. It is never silent for more than a few seconds.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.core import console
from harness.core.closing import Closing
from harness.core.metrics import Metric
from harness.core.text import duration, sanitize, short

HEARTBEAT_S = 5.0
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
        if not self.epoch:
            what = "building and compiling" if self.sent else "waiting for a worker"
            return f"{what}, {time.monotonic() - self.since:.0f} s"
        text = f"epoch {self.epoch}/{self.epochs}"
        if self.steps:
            text += f", step {self.step}/{self.steps}"
        if self.loss is not None:
            text += f", loss {self.loss:.4f}"
        if self.val_loss is not None:
            text += f", val_loss {self.val_loss:.4f}"
        return text


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


class Terminal(ProgressDisplay):
    """A live table: arms, counts, the running trials, the best so far."""

    def __init__(self, *args: Any, noun: str = "trial", metric: Metric = ACCURACIES) -> None:
        super().__init__(*args, noun=noun, metric=metric)
        self._live = Live(
            get_renderable=self._render,
            console=Console(stderr=True, markup=False, highlight=False),
            refresh_per_second=4,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def close(self) -> None:
        self._live.stop()

    def notify(self, text: str) -> None:
        self._live.console.print(Text(sanitize(text)))

    def _render(self) -> RenderableType:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in (
            "arm",
            f"{self.noun}s",
            "pruned",
            "failed",
            "best val_loss",
            self.metric.title,
            "now",
        ):
            table.add_column(column, no_wrap=column != "now")
        # A copy: the display's thread draws while the coordinator changes the original.
        running = list(self.running.values())
        for name, arm in self.arms.items():
            now = "\n".join(
                f"{self.noun} {each.trial}: {each.describe()}"
                for each in running
                if each.arm == name
            )
            table.add_row(
                Text(sanitize(name)),
                f"{arm.done.total()}/{self.trials}",
                str(arm.done["pruned"]),
                str(arm.done["failed"]),
                "" if arm.value is None else f"{arm.value:.4f}",
                "" if arm.val_accuracy is None else self.metric.cell(arm.val_accuracy),
                Text(sanitize(now)),
            )
        note = f"{self.finished} of {self.total} {self.noun}s done"
        if running:
            note += f", {self.time_left() or 'timing the first'}"
        return Group(table, Text(note))
