"""How much the luck of a search decides: one arm, searched again and again, by search method.

    python tests/benchmarks/search_luck.py [--searches 6] [--methods tpe-median-10x5,qmc-none-25x2]

A method is SAMPLER-PRUNER-TRIALSxEPOCHS. Each gets `--searches` independent searches of the arm
`depth=1` of `lstm_depth`, on 8,000 reviews. The best configuration of each search is trained on
three fresh seeds, for up to five epochs. Printed are the mean test accuracy, its standard deviation
over the searches, the epochs of a search, and its training time. The studies stay in `--folder`,
and the same command resumes.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

METHODS = "tpe-median-10x5,random-none-10x5,qmc-none-10x5,qmc-none-25x2"
STUDY = '''
"""How much does the luck of a search decide?"""
from harness import Budget, CategoricalDistribution, FloatDistribution, Imdb, IntDistribution, Study

study = Study(
    dataset=Imdb(train={train}, validation={validation}, test={test}),
    search={{
        "units": IntDistribution(4, 64, log=True),
        "sequence_length": CategoricalDistribution([50, 100, 200]),
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    }},
    fixed={{
        "cell": "lstm", "depth": 1, "batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000,
    }},
    sampler="{sampler}",
    pruner="{pruner}",
    budget=Budget(trials={trials}, epochs=5, trial_epochs={epochs}),
    searches={searches},
    replicates=3,
)
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--searches", type=int, default=6)
    parser.add_argument("--methods", default=METHODS)
    parser.add_argument("--train", type=int, default=8_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "search-luck")
    options = parser.parse_args()
    print("| method | mean test accuracy | deviation over searches | epochs | minutes a search |")
    print("|---|---|---|---|---|", flush=True)
    for method in options.methods.split(","):
        sampler, pruner, budget = method.rsplit("-", 2)
        trials, epochs = budget.split("x")
        folder = options.folder / method
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "luck.py").write_text(
            STUDY.format(
                train=options.train,
                validation=options.train // 4,
                test=options.train * 5 // 8,
                sampler=sampler,
                pruner=pruner,
                trials=trials,
                epochs=epochs,
                searches=options.searches,
            )
        )
        done = subprocess.run(
            [sys.executable, "-m", "harness.study", "luck.py", "--json", "-q", "--no-profile"],
            cwd=folder, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        epochs_each, seconds = _spent(folder / "runs" / "luck")
        (arm,) = json.loads(done.stdout)["arms"]
        means = [100 * search["replicates"]["mean"] for search in arm["searches"]]
        print(
            f"| {method} | {statistics.mean(means):.1f} % | {statistics.stdev(means):.2f} points | "
            f"{epochs_each / options.searches:.0f} | {seconds / 60 / options.searches:.1f} |",
            flush=True,
        )


def _spent(root: Path) -> tuple[int, float]:
    """Epochs and seconds of all trials of all searches, validation and compiling included."""
    from harness.results.records import read_records

    records = read_records(root)
    return len(records.epochs), float(records.trials["train_s"].sum())


if __name__ == "__main__":
    main()
