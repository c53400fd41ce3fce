"""The verb `harness claims`: a tutorial's claims about deep RNNs, each put to the test."""

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from harness.analysis.claims import CLAIMS, answer
from harness.commands import arguments
from harness.core import console, files
from harness.core.errors import UserError
from harness.core.signals import StopRequest
from harness.core.text import duration, seconds
from harness.results.manifest import Manifest
from harness.results.records import Records, read_records
from harness.results.run_directory import RunDirectory
from harness.spec import study_files
from harness.spec.fingerprint import differences

STOPPED = (130, 143, -signal.SIGINT, -signal.SIGTERM)

POLL_S = 0.5

EXAMPLES = """Examples:

\b
  harness claims --time 4h          the studies for four hours, then the page; again to resume
  harness claims --time 0           the page from what is on file; nothing runs
  harness claims                    all studies to their ends
"""


def claims(
    limit: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="TIME", help="Stop in order after so long: 90m, 4h; 0 runs nothing."
        ),
    ] = None,
    runs_directory: arguments.Runs = Path("runs"),
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The page.  [default: DIR/claims.html]"
        ),
    ] = None,
) -> None:
    """Run or resume the studies of a tutorial's claims, and write a page with a verdict on each.

    One study after another; those that are finished are not run again. The page's path is printed.
    """
    until = _deadline(limit)
    file = output or runs_directory / "claims.html"
    if file.exists() and not file.is_file():
        raise UserError(f"{file} is no file that a page can replace; give another --output")
    names = list(dict.fromkeys(name for claim in CLAIMS for name in claim.shown))
    notes = _run(names, runs_directory, until)
    print(write(names, runs_directory, file, notes))


def write(names: Sequence[str], runs: Path, file: Path, notes: dict[str, str]) -> Path:
    """Write the page from what is on file, say each verdict on stderr, and return its path."""
    from reports.pages import claims as page

    states = {}
    for name in names:
        records, fault = _records(runs / name)
        if records is not None and (fault := _other_settings(name, records)):
            records = None
        note = notes.get(name) or fault or ("" if records else "not begun")
        states[name] = page.State(records, note)
    known = {name: state.records for name, state in states.items() if state.records is not None}
    answers = [answer(claim, known) for claim in CLAIMS]
    for each in answers:
        at = " at this budget" if each.verdict == "undecided" else ""
        print(f"{each.claim.words}: {each.verdict}{at} ({each.reason})", file=sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(file, page.render(answers, states, now=files.now()))
    return file


def _deadline(limit: str | None) -> float | None:
    """The time.monotonic() at which to stop; None for never."""
    if limit is None:
        return None
    if limit.strip() == "0":
        return time.monotonic()
    try:
        return time.monotonic() + seconds(limit)
    except ValueError:
        raise UserError(f"--time {limit}: not a time such as 90m, 4h or 1h30m, or 0") from None


def _records(root: Path) -> tuple[Records | None, str]:
    """The study's records, or None, and why they can't be read if it has begun."""
    if not RunDirectory(root).manifest.is_file():
        return None, ""
    try:
        return read_records(root), ""
    except UserError as error:
        return None, str(error)


def _other_settings(name: str, records: Records) -> str:
    """What keeps the records from being those of the study of this name; empty if nothing does."""
    try:
        declared = study_files.load(name).study.to_mapping()
    except UserError as error:
        return str(error)
    changed = differences(records.manifest.spec, declared)
    if changed:
        return f"run with other settings ({changed[0]})"
    if not _is_whole(name, records.manifest):
        return "run with fewer trials or replicates than it declares: its command goes on"
    return ""


def _is_whole(name: str, manifest: Manifest) -> bool:
    """Whether the run is to have at least the trials and replicates that the study declares."""
    study = study_files.load(name).study
    return (
        manifest.trials >= study.budget.trials
        and manifest.searches >= study.independent_searches
        and manifest.replicates >= study.replicates
    )


class _Forwarding(StopRequest):
    """A stop request that the study which runs gets at once.

    Otherwise a second signal could end this process before the study knows of the first, and the
    study would go on by itself. SIGHUP is that of a terminal that closes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.study: subprocess.Popen[bytes] | None = None
        self._asked = False

    def install(self) -> None:
        super().install()
        if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not under nohup
            signal.signal(signal.SIGHUP, self._on_signal)

    def begin(self, study: "subprocess.Popen[bytes]") -> None:
        """From now on signals go to this study, too."""
        self._asked, self.study = False, study
        if self.received is not None:
            self.end_study()

    def end_study(self) -> None:
        """Ask the study to stop in order, unless it was asked before."""
        if not self._asked and self.study is not None:
            self._asked = True
            self.study.send_signal(signal.SIGINT)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.received is not None and self.study is not None:
            self.study.send_signal(signal.SIGINT)  # the second one: at once
        self.end_study()
        super()._on_signal(number, frame)


def _run(names: Sequence[str], runs: Path, until: float | None) -> dict[str, str]:
    """Run or resume each study in turn until the time is over; returns what is to be said of some.

    Raises Stopped after a signal, once the study that ran has stopped in order.
    """
    notes: dict[str, str] = {}
    stop = _Forwarding()
    stop.install()
    for name in names:
        records, _ = _records(runs / name)  # the study's own command may mend what is damaged
        # A study whose last session was killed has all trainings, but perhaps no profile or page.
        done = records is not None and records.finished and records.manifest.finished
        if records is not None and done and _is_whole(name, records.manifest):
            continue
        if until is not None and time.monotonic() >= until:
            break
        left = "" if until is None else f", {duration(until - time.monotonic())} left in all"
        print(f"harness claims: {name}{left}", file=sys.stderr, flush=True)
        code = _study(name, runs, until, stop)
        stop.check()
        if code == console.HELD:
            notes[name] = "in use by another process"
        elif code not in (0, *STOPPED):
            notes[name] = _refusal(name, runs) or f"ended with exit code {code}"
    return notes


def _study(name: str, runs: Path, until: float | None, stop: _Forwarding) -> int:
    """Run one study in its own process until the time is over; returns its exit code."""
    # In a session of its own, so that a Ctrl-C reaches it once, from here: a second one would end
    # it at once.
    stop.deferred = True
    with subprocess.Popen(
        _command(name, runs), stdout=subprocess.DEVNULL, start_new_session=True
    ) as process:
        stop.begin(process)
        while process.poll() is None:
            if until is not None and time.monotonic() >= until:
                stop.end_study()
            time.sleep(POLL_S)
    stop.study, stop.deferred = None, False
    return process.returncode


def _command(name: str, runs: Path) -> list[str]:
    return [sys.executable, "-m", "harness.study", name, "--runs", str(runs)]


def _refusal(name: str, runs: Path) -> str:
    """Why the study cannot begin, in its own words; nothing where it can."""
    done = subprocess.run([*_command(name, runs), "--dry-run"], capture_output=True, text=True)
    return done.stderr.strip().splitlines()[-1] if done.returncode and done.stderr.strip() else ""
