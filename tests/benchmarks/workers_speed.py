"""Trials per hour of two workers against one, on the same study: `python …/workers_speed.py`.

Two arms of equally long trainings (depth 2, 16 units, 100 words; they differ in learning rate
alone), with one worker and with two, alternating, each in a fresh run directory. The clock runs
from the first trial's start to the last one's end, compilation included and Keras's import not.
Best validation losses must be equal, and are checked.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

STUDY = '''
"""Does the learning rate matter?"""
from harness import Budget, FloatDistribution, Imdb, Study

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=1000),
    compare={"learning_rate": [0.001, 0.003]},
    search={"dropout": FloatDistribution(0.1, 0.5)},
    fixed={"cell": "lstm", "depth": 2, "units": 16, "sequence_length": 100},
    sampler="random", pruner="none", budget=Budget(trials=8, epochs=5), searches=1, replicates=0)
'''


def once(workers: int) -> tuple[float, dict[str, float]]:
    """Trials per hour, and each trial's value."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "even.py"
        file.write_text(STUDY)
        subprocess.run(
            [sys.executable, "-m", "harness.study", str(file), "-q", "--no-profile",
             "--runs", folder, "--workers", str(workers)],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        results = [
            json.loads(file.read_text()) for file in Path(folder).glob("*/trials/*/*/result.json")
        ]
    times = [
        datetime.fromisoformat(result[key]) for result in results for key in ("started", "finished")
    ]
    seconds = (max(times) - min(times)).total_seconds()
    values = {f"{result['arm']}/{result['trial']}": result["value"] for result in results}
    return len(results) / seconds * 3600, values


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=2)
    rounds = parser.parse_args().rounds
    rates: dict[int, list[float]] = {1: [], 2: []}
    reference = None
    for _ in range(rounds):
        for workers in rates:
            rate, values = once(workers)
            rates[workers].append(rate)
            reference = reference or values
            losses = "equal" if values == reference else "DIFFERENT"
            print(f"{workers} worker(s): {rate:.0f} trials per hour, losses {losses}", flush=True)
    ratio = statistics.median(rates[2]) / statistics.median(rates[1])
    print(f"two workers against one: {ratio:.2f} × the trials per hour (medians)")


if __name__ == "__main__":
    main()
