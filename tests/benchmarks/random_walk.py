"""Does any depth beat the last value where nothing can? Studies of random walks.

    python tests/benchmarks/random_walk.py [--seeds 10] [--kind walk|seasons]

A random walk has no better forecast than its last value, so no depth may be called better than it.
With `--kind seasons` the series is two seasons (7 and 30 steps) and noise: there a network and a
ridge autoregression should beat the seasonal forecast. Each seed is a study of its own, as a user
runs it; printed are mean absolute errors and the verdicts of each depth against the baseline.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

STUDY = '''
"""Does depth pay?"""
from harness import Budget, FloatDistribution, Imdb, Study
study = Study(dataset=Imdb(), compare={"depth": [1, 2]},
              search={"learning_rate": FloatDistribution(1e-3, 3e-2, log=True)},
              fixed={"cell": "lstm", "units": 8, "sequence_length": 30, "batch_size": 32},
              budget=Budget(trials=3, epochs=10, trial_epochs=5), searches=3, replicates=1)
'''
AGAINST = {"walk": "baseline=last", "seasons": "baseline=seasonal"}


def series(kind: str, seed: int, rows: int = 1_000) -> np.ndarray:
    random = np.random.default_rng(seed)
    if kind == "walk":
        return random.normal(size=rows).cumsum()
    t = np.arange(rows)
    waves = 20 * np.sin(2 * np.pi * t / 7) + 30 * np.sin(2 * np.pi * t / 30)
    return 100 + waves + random.normal(0, 5, rows)


def outcome(kind: str, seed: int) -> dict[str, Any]:
    """What `--json` prints of a study of one series."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "walks.py").write_text(STUDY)
        values = series(kind, seed).tolist()
        lines = [f"{time},{value:.6f}" for time, value in enumerate(values)]
        (folder / "series.csv").write_text("\n".join(["time,units", *lines]) + "\n")
        done = subprocess.run(
            [sys.executable, "-m", "harness.study", "walks.py", "--dataset", "series.csv",
             "--time-column", "time", "--target-column", "units", "--horizon", "1",
             "--season", "7", "--seed", str(seed), "--no-profile", "--json", "-q"],
            cwd=folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--kind", choices=list(AGAINST), default="walk")
    given = parser.parse_args()
    base = AGAINST[given.kind]
    better = 0
    for seed in range(given.seeds):
        found = outcome(given.kind, seed)
        errors = {each["arm"]: each["replicates"]["mean"] for each in found["arms"]}
        errors |= {each["baseline"]: each["replicates"]["mean"] for each in found["baselines"]}
        verdicts = {
            each["a"]: each["verdict"] for each in found["baseline_verdicts"] if each["b"] == base
        }
        better += "better" in verdicts.values()
        told = ", ".join(f"{name} {error:.3f}" for name, error in errors.items())
        print(f"seed {seed}: {told}; against {base}: {verdicts}", flush=True)
    print(f"{better} of {given.seeds} studies call a depth better than {base}")


if __name__ == "__main__":
    main()
