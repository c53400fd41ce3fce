"""The coordinator: gives each arm's trainings to workers and records their results. No Keras.

An arm's trials run one after another, and arms side by side. So the outcome is the same for any
number of workers up to the number of arms. More workers than arms run several trials of one arm at
once, and the outcome then depends on their number.
"""

import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from harness.core.errors import StudyHeldError, UserError, shortened
from harness.core.signals import StopRequest
from harness.search.assignment import Assignment
from harness.search.interfaces import Pool, Trainings
from harness.search.progress import ProgressDisplay
from harness.workers.messages import (
    Continue,
    Died,
    EpochDone,
    Failed,
    Finished,
    Notice,
    Pause,
    Paused,
    Progress,
    Ready,
    Started,
    Stop,
    TestScores,
    Unable,
    Up,
)

# Where a worker dies, the machine may be the cause: its trial is tried again RETRIES times, counted
# from its last new epoch. Where a worker dies before it is ready, no trial is the cause: a cluster
# may have started it on a node that was about to stop. After STARTS such deaths in a row, no worker
# can start.
RETRIES = 2
STARTS = 20
# So many trials in a row that end before their first epoch, by no fault that is known to be their
# own, show that no training can run here: memory is too small, or a GPU is gone.
LOST = 3
POLL_S = 0.25
LATE_S = 2.0  # a longer pause of this process (Ctrl-Z, a slow disk) is not the trials' time
# Compiling the deepest networks takes a minute; a worker that is silent for this long hangs.
NO_PROGRESS_S = 900.0
MEMORY_CHECK_S = 1.0
PAUSE_S = 5.0  # trainings check every two seconds whether they should pause
# Backends keep memory from trial to trial. Between two trials a worker is replaced by a new one
# where it has more than this many bytes, or than this share of its limit.
RECYCLE_BYTES, RECYCLE_SHARE = 3_000_000_000, 0.5


class Coordinator:
    """Runs every arm's trainings; `run` returns when all of them have ended."""

    def __init__(
        self,
        arms: Sequence[Trainings],
        pool: Pool,
        board: ProgressDisplay,
        stop: StopRequest,
        trial_timeout_s: float | None = None,
        at_once: int | None = None,
    ) -> None:
        """`at_once` is how many trials of one search may run side by side.

        By default it follows from the number of workers.
        """
        self._arms = {arm.group: arm for arm in arms}
        self._pool = pool
        self._board = board
        self._stop = stop
        self._trial_timeout_s = trial_timeout_s
        # More than one only where there are more workers than searches.
        self._at_once = at_once or math.ceil(len(pool) / len(arms))
        self._assigned: dict[int, Assignment] = {}
        self._deadline: dict[int, float] = {}
        self._last_message: dict[int, float] = {}
        self._memory_checked = 0.0
        self._halting: dict[int, tuple[str, str | None]] = {}
        # Workers that are ready from an earlier search do not send Ready again.
        self._ready: set[int] = set(pool.ready)
        self._seconds: dict[str, float] = {}  # of each search's last training
        self._failed_starts = 0  # workers in a row that ended before they were ready
        # Trainings that ended without an epoch, and why, since any training had one. They are on
        # file as failed only when an epoch shows that the machine is not the cause.
        self._lost: list[tuple[Assignment, str]] = []

    def run(self) -> None:
        """Raises Stopped after a signal, and UserError where no worker can start or train.

        In both cases the running trials are released first, so that they can be resumed.
        """
        # Suggestions are made while the workers import their backend.
        for worker in range(len(self._pool)):
            self._assign(worker)
        self._stop.deferred = True
        looked = time.monotonic()
        try:
            while self._assigned and self._stop.received is None:
                for worker, message in self._pool.wait(POLL_S):
                    self._last_message[worker] = time.monotonic()
                    self._handle(worker, message)
                # One reading of the clock: a stop before it is excused, one after it not yet seen.
                now = time.monotonic()
                self._excuse(now - looked)
                looked = now
                self._end_overdue(now)
                self._watch_memory()
                self._board.tick()
            if self._stop.received is not None:
                self._pause()
            else:
                self._end_lost()
        finally:
            for assignment in self._assigned.values():
                # Without the database the trial stays RUNNING; it is resumed as well.
                with contextlib.suppress(SQLAlchemyError, StudyHeldError, UserError, OSError):
                    self._arms[assignment.group].release(assignment)
            self._assigned.clear()
            self._stop.deferred = False
        self._stop.check()

    def _pause(self) -> None:
        """Let running trainings write a checkpoint; one that takes too long loses its epoch."""
        pending = {worker for worker in self._assigned if worker in self._ready}
        for worker in pending:
            self._pool.send(worker, Pause())
        self._board.notify("stopping: running trainings write their checkpoints")
        deadline = time.monotonic() + PAUSE_S
        while pending and time.monotonic() < deadline:
            for worker, message in self._pool.wait(POLL_S):
                # An epoch that ends just now has its checkpoint; the pruner is asked on resuming.
                if isinstance(message, Paused | EpochDone | Finished | Failed | Died):
                    pending.discard(worker)

    def _assign(self, worker: int) -> None:
        """Give a worker the next training: of the search with the fewest running, then fewest done.

        Of these the longest begins first, so that no long one is left when all others have ended.
        Of independent trainings the first listed begin first, on any worker: they are listed by
        their time, longest first. Their programs are on file.
        """
        under_way = [assignment.group for assignment in self._assigned.values()]
        open_arms = [
            arm
            for name, arm in self._arms.items()
            if arm.has_more and (arm.independent or under_way.count(name) < self._at_once)
        ]
        if not open_arms:
            self._take_over(worker)
            return

        def rank(arm: Trainings) -> tuple[float, ...]:
            if arm.independent:
                return ()
            begun = under_way.count(arm.group), arm.done.total()
            return *begun, -self._seconds.get(arm.group, 0.0), -arm.arm.size

        arm = min(open_arms, key=rank)
        assignment = arm.next()
        self._assigned[worker] = assignment
        self._board.started(assignment.task, arm.group, assignment.number, assignment.params)
        if worker in self._ready:
            self._train(worker)

    def _take_over(self, worker: int) -> None:
        """Give a ready worker a training that was assigned to a worker that is not ready.

        A new process needs seconds for its imports. On a cluster it may wait for a free node for an
        unlimited time.
        """
        waiting = [other for other in self._assigned if other not in self._ready]
        if worker in self._ready and waiting:
            self._assigned[worker] = self._assigned.pop(waiting[0])
            self._train(worker)

    def _train(self, worker: int) -> None:
        assignment = self._assigned[worker]
        assignment.begin()
        assignment.worker = self._pool.name(worker)
        if self._trial_timeout_s is not None:
            self._deadline[worker] = time.monotonic() + self._trial_timeout_s
        self._pool.send(worker, self._arms[assignment.group].training_request(assignment))
        self._board.sent(assignment.task)

    def _handle(self, worker: int, message: Up) -> None:
        match message:
            case Ready():
                self._failed_starts = 0
                self._ready.add(worker)
                if worker in self._assigned:
                    self._train(worker)
                elif self._stop.received is None:
                    self._assign(worker)
            case Unable(why):
                raise UserError(f"no worker can start: {why}")
            case Notice(text):
                self._board.notify(text)
            case Started(task, parameters, path):
                assignment = self._assigned[worker]
                assignment.parameters, assignment.path = parameters, path
                self._board.built(task, parameters)
            case Progress(task, epoch, step, steps, loss):
                self._board.stepped(task, epoch, step, steps, loss)
            case EpochDone(task, metrics, again):
                self._epoch_done(worker, task, metrics, again)
            case Finished(_, test):
                outcome, reason = self._halting.pop(worker, ("complete", None))
                self._end_lost()
                self._end(worker, outcome, reason, test)
            case Failed(_, why) if why.startswith("machine:"):
                self._try_again(worker, why)
            case Failed(_, why) if why.startswith("out of memory:"):
                self._lose(worker, why)
            case Failed(_, why):
                self._end(worker, "failed", why)
            case Died(how):
                self._try_again(worker, f"killed: the worker ended with {how}")

    def _epoch_done(
        self, worker: int, task: str, metrics: Mapping[str, float], again: bool
    ) -> None:
        assignment = self._assigned[worker]
        if not again:
            self._end_lost()
            if metrics["epoch"] > assignment.reached:  # not one trained again
                assignment.reached, assignment.attempts = int(metrics["epoch"]), 1
        if not (math.isfinite(metrics["loss"]) and math.isfinite(metrics["val_loss"])):
            self._halting[worker] = (
                "failed",
                f"diverged: loss {metrics['loss']} in epoch {metrics['epoch']}",
            )
            self._pool.send(worker, Stop(task))
            return
        assignment.add_epoch(metrics)
        continues = self._arms[assignment.group].report(assignment, metrics)
        self._board.epoch_done(task, metrics)
        if not continues:
            self._halting[worker] = ("halted", None)
        self._pool.send(worker, Continue(task) if continues else Stop(task))

    def _end(
        self, worker: int, outcome: str, reason: str | None, test: TestScores | None = None
    ) -> None:
        """Record a training's end and give the worker its next one."""
        assignment = self._assigned[worker]
        record = self._arms[assignment.group].end(assignment, outcome, reason, test)
        self._ended(worker, record, reason)

    def _ended(self, worker: int, record: Mapping[str, Any], reason: str | None) -> None:
        assignment = self._assigned.pop(worker)
        self._seconds[assignment.group] = record["train_s"]
        self._deadline.pop(worker, None)
        self._board.ended(
            assignment.task, record["state"], record["value"], record["val_accuracy"], reason or ""
        )
        bound = min(RECYCLE_BYTES, int(RECYCLE_SHARE * self._pool.memory_limit))
        if worker in self._ready and self._pool.memory(worker) > bound:
            self._replace(worker)
        if self._stop.received is None:
            # The arm may now have a training for a worker that had to wait, too.
            for idle in [worker, *range(len(self._pool))]:
                if idle not in self._assigned:
                    self._assign(idle)

    def _lose(self, worker: int, reason: str) -> None:
        """A training has failed, by its own fault or by the machine's.

        Raises UserError where LOST in a row have had no epoch: all of them are left as they were.
        """
        assignment = self._assigned[worker]
        if assignment.reached:
            self._end(worker, "failed", reason)
            return
        self._lost.append((assignment, reason))
        if len(self._lost) >= LOST:
            del self._assigned[worker]  # not released: it is left like the others
            raise UserError(
                f"{LOST} {self._board.noun}s in a row ended before their first epoch, the last as "
                f"{shortened(reason, 160)}; the machine seems to be the cause: free memory, or "
                "take fewer --workers, then the same command tries them again"
            )
        record = self._arms[assignment.group].suppose_failed(assignment, reason)
        self._ended(worker, record, reason)

    def _end_lost(self) -> None:
        """The machine can train: what failed before has failed by its own fault."""
        while self._lost:
            assignment, reason = self._lost.pop(0)
            self._arms[assignment.group].end(assignment, "failed", reason)

    def _try_again(self, worker: int, reason: str) -> None:
        """Replace a worker; its trial starts again, or fails after RETRIES attempts."""
        assignment = self._assigned.get(worker)
        was_ready = worker in self._ready
        if not was_ready:
            self._count_failed_start(reason)
        self._replace(worker)
        if assignment is None or not was_ready:
            return
        if assignment.attempts > RETRIES:
            self._lose(worker, reason)
            return
        assignment.attempts += 1
        self._board.notify(
            f"{assignment.task.replace('/', f' {self._board.noun} ')} starts again ({reason})"
        )

    def _count_failed_start(self, reason: str) -> None:
        self._failed_starts += 1
        if self._failed_starts >= STARTS:
            raise UserError(
                f"no worker can start: {STARTS} in a row ended before they were ready, the last as "
                f"{reason}; logs/ in the run directory may say why; the same command resumes"
            )

    def _replace(self, worker: int) -> None:
        self._ready.discard(worker)
        self._halting.pop(worker, None)
        self._deadline.pop(worker, None)
        self._last_message.pop(worker, None)
        self._pool.replace(worker)

    def _excuse(self, passed_s: float) -> None:
        """Give trainings the time back in which this process did not look after them."""
        late_s = passed_s - POLL_S
        if late_s > LATE_S:
            for times in (self._deadline, self._last_message):
                for worker in times:
                    times[worker] += late_s

    def _end_overdue(self, now: float) -> None:
        for worker in [w for w, deadline in self._deadline.items() if now > deadline]:
            self._replace(worker)
            self._end(worker, "failed", f"timeout: more than {self._trial_timeout_s:g} s")
        for worker in [w for w, at in self._last_message.items() if now > at + NO_PROGRESS_S]:
            if worker in self._assigned:
                reason = f"timeout: no sign of life for {NO_PROGRESS_S:g} s"
                self._try_again(worker, reason)

    def _watch_memory(self) -> None:
        """End a worker over its limit, before the system kills a process of its own choice."""
        now = time.monotonic()
        if now < self._memory_checked + MEMORY_CHECK_S:
            return
        self._memory_checked = now
        limit = self._pool.memory_limit
        for worker in list(self._assigned):
            used = self._pool.memory(worker)
            if used > limit:
                self._try_again(
                    worker,
                    f"out of memory: the worker held {used / 2**30:.1f} GiB "
                    f"of {limit / 2**30:.1f} GiB",
                )
