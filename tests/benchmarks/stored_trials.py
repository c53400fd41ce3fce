"""What a large study costs to come back to: `python tests/benchmarks/stored_trials.py`.

Ten thousand trials that trained nothing are put on file by the real search; then the study's own
command is given again, which has nothing left to train: it opens the database, reads the records
and writes the report. Prints its seconds and the most memory that it held.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

STUDY = """
'''Does it come back?'''
from harness import Budget
from toys import toy_study
study = toy_study(budget=Budget(trials={each}, epochs=4), sampler="random", replicates=0)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    options = parser.parse_args()
    from session_testing import Pool

    from harness.study import session, trainings
    from harness.study.options import Options

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "large.py"
        file.write_text(STUDY.format(each=options.trials // 2))
        trainings.LocalPool = Pool  # type: ignore[assignment,misc]
        session.run(Options(name=str(file), runs=Path(folder) / "runs", quiet=True, profile=False))
        command = [sys.executable, "-m", "harness.study", str(file), "-q", "--no-profile"]
        started = time.perf_counter()
        subprocess.run(
            command, cwd=folder, check=True, env={"PYTHONPATH": ":".join(sys.path[:2]), "PATH": ""}
        )
        seconds = time.perf_counter() - started
        report = (Path(folder) / "runs" / "large" / "report.html").stat().st_size
    held = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{options.trials:,} trials: resumed and reported in {seconds:.1f} s, {held:.0f} MB held "
        f"at the most, a report of {report / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
