"""What the coordinator itself costs: `python tests/benchmarks/coordinator_load.py [--storage URL]`.

Two thousand trials of a toy study that trains nothing go through the real search and database.
Prints the processor time a trial by hundred, and the elapsed time, commits to the disk included.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from optuna.trial import TrialState

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from toys import ToyPool, losses, toy_study  # noqa: E402

from harness.core.signals import StopRequest  # noqa: E402
from harness.results.run_directory import RunDirectory  # noqa: E402
from harness.search import database as storage  # noqa: E402
from harness.search.arm_search import ArmSearch  # noqa: E402
from harness.search.coordinator import Coordinator  # noqa: E402
from harness.search.progress import ProgressDisplay  # noqa: E402
from harness.spec.study import Budget  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--storage", help="URL; default: a SQLite file in a temporary folder")
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sampler", default="random", help="tpe's own time grows with the trials")
    parser.add_argument("--folder", help="where the run directory lies")
    options = parser.parse_args()
    began: list[tuple[float, float]] = []

    def curve(order):  # type: ignore[no-untyped-def]
        began.append((time.process_time(), time.perf_counter()))
        return losses(order)

    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        directory = RunDirectory(Path(folder))
        study = toy_study(
            budget=Budget(trials=options.trials // 2, epochs=4), sampler=options.sampler
        )
        database = storage.open_storage(options.storage or storage.sqlite_url(directory.database))
        name = f"load-{time.time_ns()}"
        database.hold(name)
        arms = [ArmSearch(name, study, arm, database, directory) for arm in study.arms()]
        board = ProgressDisplay(
            [arm.arm.name for arm in arms], study.budget.trials, options.workers, 4
        )
        Coordinator(arms, ToyPool(options.workers, curve=curve), board, StopRequest()).run()
        began.append((time.process_time(), time.perf_counter()))
        stored = sum(
            len(
                database.get_all_trials(
                    each._study_id, states=[TrialState.COMPLETE, TrialState.PRUNED]
                )
            )
            for each in database.get_all_studies()
            if each.study_name.startswith(name)
        )
        database.close()
    assert stored == options.trials // 2 * 2, stored
    print("trials        processor ms a trial   elapsed ms a trial")
    for first in range(0, len(began) - 1, 100):
        last = min(first + 100, len(began) - 1)
        spent = [
            (b - a) * 1000 / (last - first) for a, b in zip(began[first], began[last], strict=True)
        ]
        print(f"{first + 1:5}–{last:5} {spent[0]:18.1f} {spent[1]:18.1f}")


if __name__ == "__main__":
    main()
