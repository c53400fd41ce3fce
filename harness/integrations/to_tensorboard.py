"""A study in TensorBoard: `harness log lstm_depth --tensorboard logs`, then `tensorboard --logdir`.

Each training is a folder of event files. A file is there as a whole or not at all, and its name
says how far the training was, so the names alone show what is there already.
"""

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.core import files
from harness.core.console import without_stderr
from harness.core.errors import UserError, of_disk
from harness.integrations.logged import LoggedRun, Told, identity, runs_of
from harness.results.records import Records

MARKER = "harness.json"  # says which study a folder is of
_LOGGED = re.compile(r"events\.out\.tfevents\.\d+\.epochs=(\d+)\.(\w+)")


def log_study(records: Records, logs: Path) -> Told:
    """Write the study's trainings below `logs/NAME`; what is there already is not written twice.

    Raises UserError where TensorBoard is not installed, the folder has another study's events, or
    it can't be written.
    """
    if "://" in str(logs) or re.match(r"\w{2,}:/", str(logs)):
        raise UserError(f"--tensorboard {logs}: give a folder of this machine, for example logs")
    try:
        with without_stderr():  # TensorFlow writes lines there while it is imported
            from tensorboard.plugins.hparams import summary  # noqa: F401
    except ImportError:
        raise UserError("--tensorboard needs TensorBoard; pip install tensorboard") from None
    root = logs / records.study
    try:
        _claim(root, records)
        new = updated = skipped = 0
        for run in runs_of(records):
            folder = root / run.key
            known = _logged(folder)
            last = max((epochs for epochs, _ in known), default=0)
            states = {state for _, state in known}
            if run.state in states and last >= len(run.epochs):
                skipped += 1
                continue
            _write(folder, run, after=last, first=not known)
            new, updated = new + (not known), updated + bool(known)
        return Told(new, updated, skipped)
    except OSError as error:
        raise of_disk(error, str(root)) from None


def _claim(root: Path, records: Records) -> None:
    """Make the study's folder; raises UserError where another study has it."""
    marker = root / MARKER
    ours = identity(records)
    if marker.exists():
        found = files.read_object(marker)
        if found is None or found.get("study") != ours:
            raise UserError(
                f"{root} has the events of another study of this name; give --tensorboard another "
                "folder, or move that one away"
            )
        return
    files.make_folder(root)
    files.write_atomically(marker, files.to_json({"study": ours}))


def _logged(folder: Path) -> list[tuple[int, str]]:
    """How many epochs each event file of a training goes up to, and the state that it ends with."""
    names = [path.name for path in folder.glob("events.out.tfevents.*")]
    return [(int(m[1]), m[2]) for name in names if (m := _LOGGED.fullmatch(name))]


def _write(folder: Path, run: LoggedRun, *, after: int, first: bool) -> None:
    """One event file: the epochs later than `after`, and the end of a training that has ended."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    files.make_folder(folder)
    with tempfile.TemporaryDirectory() as aside:
        writer = EventFileWriter(aside)
        for at_s, step, summary in _summaries(run, after, first):
            writer.add_event(Event(wall_time=at_s, step=step, summary=summary))
        writer.close()
        (written,) = Path(aside).iterdir()
        # TensorBoard reads a training's files in the order of their names.
        name = f"events.out.tfevents.{time.time():010.0f}.epochs={len(run.epochs):06d}.{run.state}"
        files.write_atomically(folder / name, written.read_bytes())


def _summaries(run: LoggedRun, after: int, first: bool) -> Iterator[tuple[float, int, Any]]:
    """Time in seconds since 1970, step, and summary of each event."""
    from tensorboard.plugins.hparams import api_pb2, summary_v2
    from tensorboard.plugins.text.summary_v2 import text_pb

    started_s = run.started_s or time.time()
    if first:
        params = {"arm": run.arm, **{k: _hparam(v) for k, v in run.params.items()}}
        yield started_s, 0, summary_v2.hparams_pb(params, run.key, started_s)
    for epoch in run.epochs[after:]:
        yield epoch.at_s, epoch.number, _scalars(epoch.metrics)
    if run.ended:
        step, ended_s = run.end
        ended_s = ended_s or started_s
        yield ended_s, step, _scalars(run.final)
        text = f"{run.state}: {run.reason}" if run.reason else run.state
        yield ended_s, step, text_pb("state", text)
        failed = run.state == "failed"
        status = api_pb2.STATUS_FAILURE if failed else api_pb2.STATUS_SUCCESS
        yield ended_s, step, _session_end(status, ended_s)


def _scalars(metrics: Any) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary

    return Summary(
        value=[Summary.Value(tag=tag, simple_value=value) for tag, value in metrics.items()]
    )


def _session_end(status: int, ended_s: float) -> Any:
    """The end of a training, for the table of hyperparameters."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams.summary import session_end_pb

    # It makes TensorFlow's own message, whose bytes are the same.
    return Summary.FromString(session_end_pb(status, ended_s).SerializeToString())


def _hparam(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) else str(value)
