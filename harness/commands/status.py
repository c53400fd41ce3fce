"""How far a study is: `harness status lstm_depth`. It reads files only.

It opens neither the database nor the lock, so it does not disturb a running study.
"""

import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import psutil
import typer

from harness.analysis import summary
from harness.core import files
from harness.core.text import short
from harness.results.lock import SILENT_S
from harness.results.records import Records, read_records
from harness.results.run_directory import RunDirectory, find

if TYPE_CHECKING:
    import pandas as pd


def status(
    name: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A study by name, or a run directory.")
    ],
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")
    ] = Path("runs"),
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show how far a study is, while it runs or afterwards."""
    found = describe(find(name, runs_directory))
    if json_output:
        print(files.to_json(found))
        return
    print(f"{found['study']}: {found['state']}" + (f", {found['by']}" if found["by"] else ""))
    for arm in found["arms"]:
        best = arm["best"]
        counts = ", ".join(f"{n} {state}" for state, n in arm["trials"].items() if n)
        print(
            f"{arm['arm']}: {arm['done']} of {arm['wanted']} trials"
            + (f" ({counts})" if counts else "")
            + (f"; best val_loss {best['value']:.4f}" if best else "")
        )
        for running in arm["running"]:
            epochs = f"epoch {running['epochs']} of {found['epochs']} done"
            which = f"search {running['search']}, " if found["searches"] > 1 else ""
            print(f"  {which}trial {running['trial']}: {epochs}, {short(running['params'])}")


def describe(root: Path) -> dict[str, Any]:
    """What `--json` prints: `state` is running, stopped or finished; `by` names the process.

    `trials` is what an arm is to have in all of its `searches`; `wanted` is less where an arm was
    decided before the others.
    """
    records = read_records(root)
    holder = _holder(RunDirectory(root).lock)
    state = "running" if holder else "finished" if records.finished else "stopped"
    outcome = summary.summarise(records, str(RunDirectory(root).report))
    arms = []
    for arm in outcome["arms"]:
        of_arm = records.trials[records.trials["arm"] == arm["arm"]]
        under_way = of_arm[of_arm["state"] == "running"]
        arms.append(
            {
                **{key: arm[key] for key in ("arm", "trials", "best")},
                "done": sum(arm["trials"].values()),
                "wanted": records.manifest.searches_of(arm["arm"]) * records.manifest.trials,
                "running": [
                    {
                        "search": int(trial["search"]),
                        "trial": int(trial["trial"]),
                        "epochs": _epochs(records, trial),
                        "params": summary.searched_parameters(trial),
                    }
                    for _, trial in under_way.iterrows()
                ],
            }
        )
    return {
        "study": records.study,
        "state": state,
        "by": holder,
        "searches": records.manifest.searches,
        "trials": records.manifest.searches * records.manifest.trials,
        "epochs": records.manifest.trial_epochs,
        "arms": arms,
    }


def _epochs(records: Records, trial: "pd.Series[Any]") -> int:
    epochs = records.epochs
    keys = ["arm", "search", "trial"]
    return int((epochs[keys] == trial[keys]).all(axis=1).sum())


def _holder(lock: Path) -> str | None:
    """The process that runs the study, as the lock file names it; None where it has ended.

    A process on another machine can't be looked at, but it touches the file again and again: a file
    that was not touched for SILENT_S shows that it has ended. On this machine the process id may
    belong to a newer program by now: one that started after the file was written.
    """
    try:
        text = lock.read_text(errors="replace").strip()
        written = lock.stat().st_mtime
    except OSError:
        return None
    match = re.fullmatch(r"process (\d+) on (.+)", text)
    if match is None:
        return None
    if match[2] != socket.gethostname():
        return text if time.time() < written + SILENT_S else None
    try:
        started = psutil.Process(int(match[1])).create_time()
    except (psutil.Error, ValueError, OverflowError):  # a number that is no process id
        return None
    return text if started <= written + 1 else None
