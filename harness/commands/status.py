"""How far a study is: `harness status lstm_depth`. It reads files only.

It opens neither the database nor the lock, so it does not disturb a running study.
"""

import re
import socket
import sys
import time
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import psutil
import typer

from harness.analysis import summary
from harness.analysis.outcome_table import table_lines
from harness.analysis.parameters import searched_parameters
from harness.analysis.verdicts import conclude
from harness.commands import arguments
from harness.core import console, files
from harness.core.errors import UserError
from harness.core.text import duration, short
from harness.results.lock import SILENT_S
from harness.results.records import ENDS, Records, read_records
from harness.results.run_directory import RunDirectory, find
from reports import write

if TYPE_CHECKING:
    import pandas as pd

LIVE = b'<meta http-equiv="refresh"'  # of the page of a study that runs
WATCH_S = 2.0  # between two looks at a study that is watched


def status(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|DIR]", help="A study by name, or a run directory; or all."),
    ] = None,
    runs_directory: arguments.Runs = Path("runs"),
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Print it again and again while the study runs.")
    ] = False,
    in_browser: Annotated[
        bool, typer.Option("--open", help="Open the study's page in the browser, too.")
    ] = False,
) -> None:
    """Show how far a study is, while it runs or afterwards; without a name, all studies."""
    if watch and (name is None or json_output):
        raise UserError("--watch goes with the name of one study, and not with --json")
    if in_browser and name is None:
        raise UserError("--open goes with the name of one study")
    if name is None:
        _print_all(runs_directory, json_output)
        return
    root = find(name, runs_directory)
    if in_browser:
        _open(root)
    while True:
        records = read_records(root)
        outcome = summary.summarise(records, str(RunDirectory(root).report))
        found = _described(records, outcome)
        if json_output:
            print(files.to_json(found))
            return
        if watch and sys.stdout.isatty():
            print("\x1b[H\x1b[2J", end="")  # the screen's top, and an empty screen
        print("\n".join(_lines(found, outcome, records)), flush=True)
        if not watch or found["state"] != "running":
            return
        time.sleep(WATCH_S)


def _open(root: Path) -> None:
    """Open the page, which is written first where there is none yet.

    So is that of a study that was killed, whose page still says that it runs.
    """
    page = RunDirectory(root).report
    running = _holder(RunDirectory(root).lock) is not None
    if not page.is_file() or (not running and LIVE in page.read_bytes()):
        write.write_records(read_records(root), listed=False, live=running)
    if not webbrowser.open(page.absolute().as_uri()):
        console.notify(f"no browser here; the page is {page.absolute()}")


def _print_all(runs_directory: Path, json_output: bool) -> None:
    """A line for each study, the newest first; those that can't be read say why."""
    folders = sorted(runs_directory.iterdir()) if runs_directory.is_dir() else []
    roots = [each for each in folders if RunDirectory(each).manifest.is_file()]
    found = sorted(map(_brief, roots), key=lambda each: str(each["created"]), reverse=True)
    if json_output:
        print(files.to_json(found, indent=None))
        return
    if not found:
        print(f"no study in {runs_directory}; start one with: python -m harness.study NAME")
    width = max((len(each["study"]) for each in found), default=0)
    for each in found:
        trials = f"{each['done']} of {each['wanted']} trials" if "done" in each else each["fault"]
        print(
            f"{each['study']:{width}}  {each['created'] or '':10.10}  {each['state']:8}  {trials}"
        )


def _brief(root: Path) -> dict[str, Any]:
    try:
        records = read_records(root)
    except UserError as error:
        return {"study": root.name, "state": "damaged", "created": None, "fault": str(error)}
    return {
        "study": root.name,
        "state": _state(records, _holder(RunDirectory(root).lock)),
        "created": records.manifest.created,
        "done": int(records.trials["state"].isin(ENDS).sum()),
        "wanted": sum(_wanted(records, arm) for arm in records.arms),
    }


def _lines(found: Mapping[str, Any], outcome: Mapping[str, Any], records: Records) -> list[str]:
    """How far the study is, then the results so far, once an arm has a replicate."""
    lines = [f"{found['study']}: {found['state']}" + (f", {found['by']}" if found["by"] else "")]
    if (left := found["time_left"]) is not None:
        rest = duration(left["seconds"])
        lines[0] += f", about {rest} left" if found["by"] else f"; the rest takes about {rest}"
    for arm in found["arms"]:
        best = arm["best"]
        counts = ", ".join(f"{n} {state}" for state, n in arm["trials"].items() if n)
        lines.append(
            f"{arm['arm']}: {arm['done']} of {arm['wanted']} trials"
            + (f" ({counts})" if counts else "")
            + (f"; best val_loss {best['value']:.4f}" if best else "")
        )
        for running in arm["running"]:
            epochs = f"epoch {running['epochs']} of {found['epochs']} done"
            which = f"search {running['search']}, " if found["searches"] > 1 else ""
            lines.append(f"  {which}trial {running['trial']}: {epochs}, {short(running['params'])}")
    concluded = conclude(records)
    if any(arm.n for arm in concluded.arms.values()):
        lines += ["", *table_lines(outcome, concluded)]
    return lines


def describe(root: Path) -> dict[str, Any]:
    """What `--json` prints: `state` is running, stopped or finished; `by` names the process.

    `trials` is what an arm is to have in all of its `searches`; `wanted` is less where an arm was
    decided before the others.
    """
    records = read_records(root)
    return _described(records, summary.summarise(records, str(RunDirectory(root).report)))


def _described(records: Records, outcome: Mapping[str, Any]) -> dict[str, Any]:
    holder = _holder(RunDirectory(records.root).lock)
    arms = []
    for arm in outcome["arms"]:
        of_arm = records.trials[records.trials["arm"] == arm["arm"]]
        under_way = of_arm[of_arm["state"] == "running"]
        arms.append(
            {
                **{key: arm[key] for key in ("arm", "trials", "best")},
                "done": sum(arm["trials"].values()),
                "wanted": _wanted(records, arm["arm"]),
                "running": [
                    {
                        "search": int(trial["search"]),
                        "trial": int(trial["trial"]),
                        "epochs": _epochs(records, trial),
                        "params": searched_parameters(trial),
                    }
                    for _, trial in under_way.iterrows()
                ],
            }
        )
    return {
        "study": records.study,
        "state": _state(records, holder),
        "by": holder,
        "searches": records.manifest.searches,
        "trials": records.manifest.searches * records.manifest.trials,
        "epochs": records.manifest.trial_epochs,
        "time_left": outcome["time_left"],
        "arms": arms,
    }


def _state(records: Records, holder: str | None) -> str:
    return "running" if holder else "finished" if records.finished else "stopped"


def _wanted(records: Records, arm: str) -> int:
    """The trials that an arm is to have."""
    return records.manifest.searches_of(arm) * records.manifest.trials


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
