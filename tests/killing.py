"""Kills a command before each of its writes in turn, and lets the same command end the work.

`python killing.py VERB FOLDER [MOST] [STEP]` prints a JSON line for each kill: the event before
which the process was killed, and the outcome of the same command given again. The first line is the
outcome without a kill. With STEP, it kills before each STEP-th event only. Every run is a fork of
this process, so that none costs an import.
"""

import contextlib
import io
import itertools
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import profile_testing
import sqlalchemy
from session_testing import Pool, options

from harness import FloatDistribution
from harness.contest import command as contest
from harness.contest import tabulate
from harness.core import environment
from harness.core.errors import UserError
from harness.integrations import import_trials
from harness.profile import profiler
from harness.profile.measurements import QUICK
from harness.profile.of_study import profile_study
from harness.results.records import read_records
from harness.search.copy import copy_study
from harness.study import plan, session, solve_units, trainings
from harness.workers import local
from reports import write
from reports.charts import chart
from reports.content import Panel

STUDY = """
'''Does it survive?'''
from harness import Budget, FloatDistribution
from toys import toy_study
study = toy_study(budget=Budget(trials=2, epochs=2), replicates=1, compare={'depth': [1, 2]},
    search={'learning_rate': FloatDistribution(1e-3, 1e-1, log=True)},
    fixed={'units': 4, 'vocabulary': 100})
"""


def outcome_of(root: Path) -> Any:
    """What a study's files say, without the machine and the commit."""
    write.write(root)
    return {**json.loads((root / "summary.json").read_text()), "environment": None}


def database_of(file: Path) -> Any:
    url = f"sqlite:///{file}"
    return {
        name: [
            (t.number, t.state.name, t.params, t.value, sorted(t.intermediate_values.items()))
            for t in optuna.load_study(study_name=name, storage=url).trials
        ]
        for name in sorted(optuna.get_all_study_names(url))
    }


class Verb:
    """A command: what it needs beforehand, and what it leaves."""

    def prepare(self, folder: Path) -> None:
        (folder / "mine.py").write_text(STUDY)

    def run(self, folder: Path) -> None:
        session.run(options(folder / "mine.py"))

    def outcome(self, folder: Path) -> Any:
        return [outcome_of(folder / "runs" / "mine"),
                database_of(folder / "runs" / "mine" / "study.db")]  # fmt: skip


class Finished(Verb):
    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        super().run(folder)


class Report(Finished):
    def run(self, folder: Path) -> None:
        write.write(folder / "runs" / "mine")


class Fresh(Finished):
    """`--fresh`: what was there before is complete, in the one place or the other."""

    def run(self, folder: Path) -> None:
        again = not (folder / "runs" / "mine.old-1").exists()
        session.run(options(folder / "mine.py", fresh=again))

    def outcome(self, folder: Path) -> Any:
        roots = [folder / "runs" / name for name in ("mine", "mine.old-1")]
        found = [outcome_of(root) for root in roots]
        return [{**each, "report": "", "storage": ""} for each in found]


class Import(Verb):
    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        theirs = optuna.create_study(storage=f"sqlite:///{folder}/theirs.db", study_name="theirs")
        for rate in (0.002, 0.003):
            theirs.add_trial(
                optuna.trial.create_trial(
                    value=100 * rate,
                    params={"depth": 1, "learning_rate": rate},
                    distributions={
                        "depth": optuna.distributions.IntDistribution(1, 2),
                        "learning_rate": FloatDistribution(1e-3, 1e-1, log=True),
                    },
                    intermediate_values={1: 200 * rate, 2: 100 * rate},
                )
            )

    def run(self, folder: Path) -> None:
        import_trials.import_trials(
            str(folder / "mine.py"), str(folder / "theirs.db"), runs_directory=folder / "runs"
        )

    def outcome(self, folder: Path) -> Any:
        epochs = read_records(folder / "runs" / "mine").epochs
        return [*super().outcome(folder), epochs[["trial", "epoch", "val_loss"]].to_csv()]


class Copy(Finished):
    def run(self, folder: Path) -> None:
        try:
            copy_study("mine", f"sqlite:///{folder}/runs/mine/study.db",
                       f"sqlite:///{folder}/other.db")  # fmt: skip
        except UserError as error:  # it was copied as a whole, before the kill
            if "holds a study mine already" not in str(error):
                raise

    def outcome(self, folder: Path) -> Any:
        return [database_of(folder / "runs" / "mine" / "study.db"),
                database_of(folder / "other.db")]  # fmt: skip


class Profile(Finished):
    def run(self, folder: Path) -> None:
        profile_study(
            read_records(folder / "runs" / "mine"), QUICK, lambda text: None, devices=["cpu"]
        )

    def outcome(self, folder: Path) -> Any:
        return json.loads((folder / "runs" / "mine" / "profile.json").read_text())["entries"]


class Tabulate(Verb):
    def run(self, folder: Path) -> None:
        tabulate.tabulate(
            str(folder / "mine.py"), levels=2, seeds=1, runs_directory=folder / "runs", quiet=True
        )

    def outcome(self, folder: Path) -> Any:
        import pandas as pd

        return pd.read_parquet(folder / "runs" / "mine-table" / "table.parquet").to_csv()


class Contest(Tabulate):
    def prepare(self, folder: Path) -> None:
        super().prepare(folder)
        super().run(folder)

    def run(self, folder: Path) -> None:
        contest.contest(
            "mine", sampler_names="random", pruner_names="none", seeds=2, trials=2,
            runs_directory=folder / "runs", quiet=True,
        )  # fmt: skip

    def outcome(self, folder: Path) -> Any:
        page = folder / "runs" / "mine-contest.html"
        return [super().outcome(folder), page.read_text().endswith("</html>")]


VERBS: dict[str, type[Verb]] = {
    "study": Verb, "fresh": Fresh, "report": Report, "import": Import, "copy": Copy,
    "profile": Profile, "tabulate": Tabulate, "contest": Contest,
}  # fmt: skip


def without_training() -> None:
    """Toy pools, no charts, no profile at a study's end."""
    for module in (solve_units, trainings, local):
        module.LocalPool = Pool  # type: ignore[attr-defined]
    profiler.LocalPool = profile_testing.Pool  # type: ignore[attr-defined]
    profile_testing.Pool.asked = []
    environment._git_state = lambda folder: None
    session.profile_run_directory = lambda root, quick, notify, pool: root  # type: ignore[attr-defined]
    plan.predict_study = lambda *_: None  # type: ignore[attr-defined]
    chart.panel = lambda identity, alt, draw, **_: Panel("", alt)  # type: ignore[assignment]


def kill_before(number: int) -> None:
    """Kill this process before its event of that number: a write, a rename, a commit."""
    left = itertools.count(number, -1)

    def event(name: str) -> None:
        if next(left) == 0:
            Path(os.environ["KILLED_BEFORE"]).write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)

    def wrapped(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def before(*arguments: Any, **named: Any) -> Any:
            if name != "open" or set("wax+") & set(str(named.get("mode", [*arguments, "r"][1]))):
                event(f"{name} {arguments[0] if arguments else ''}")
            return function(*arguments, **named)

        return before

    for name in ("fsync", "replace", "rename", "mkdir", "unlink", "ftruncate", "pwrite"):
        setattr(os, name, wrapped(name, getattr(os, name)))
    io.open = wrapped("open", io.open)  # type: ignore[assignment]

    def statement(connection: Any, cursor: Any, text: str, *others: Any) -> None:
        if not text.lstrip().startswith(("SELECT", "PRAGMA")):
            event(text[:60])

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", statement)
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "commit", lambda connection: event("COMMIT"))


def in_a_fork(work: Callable[[], Any], file: Path) -> tuple[int, str]:
    """The status of a process that does the work, and the JSON of what it returns, or its error."""
    process = os.fork()
    if process == 0:
        status = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            file.write_text(json.dumps(work(), default=str))
            status = 0
        except BaseException as error:
            file.write_text(json.dumps(f"{type(error).__name__}: {error}"))
        finally:
            os._exit(status)
    status = os.waitpid(process, 0)[1]
    return status, file.read_text() if file.exists() else ""


def main() -> None:
    verb, folder = VERBS[sys.argv[1]](), Path(sys.argv[2])
    most = int(sys.argv[3]) if len(sys.argv) > 3 else sys.maxsize
    step = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    without_training()
    answer, work = folder / "answer", folder / "work"
    os.environ["KILLED_BEFORE"] = str(folder / "event")
    (folder / "prepared").mkdir()
    work.mkdir()
    with contextlib.redirect_stdout(sys.stderr):
        verb.prepare(work)
    shutil.copytree(work, folder / "prepared", dirs_exist_ok=True)

    def again() -> Any:
        verb.run(work)
        left = [p.name for p in work.rglob(".*") if p.name.endswith(".tmp")]
        return [verb.outcome(work), left]

    status, whole = in_a_fork(again, answer)
    print(json.dumps(["", status, whole]), flush=True)
    for number in range(0, most, step):
        shutil.rmtree(work)
        shutil.copytree(folder / "prepared", work)

        def killed(number: int = number) -> None:
            kill_before(number)
            verb.run(work)

        status, text = in_a_fork(killed, answer)
        if status == 0:
            break
        if status != signal.SIGKILL:
            print(json.dumps([f"event {number}", status, text]), flush=True)
            return
        answer.unlink(missing_ok=True)
        event = (folder / "event").read_text()
        print(json.dumps([event, *in_a_fork(again, answer)]), flush=True)
    print(json.dumps(["end", 0, whole]), flush=True)


if __name__ == "__main__":
    main()
