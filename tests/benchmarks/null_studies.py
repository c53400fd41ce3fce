"""Real studies of arms that are alike: how many tell any two of them apart?

    python tests/benchmarks/null_studies.py [--studies 10] [--settle]

The arms of each study differ by one word in a vocabulary of 5,000. The studies differ in their
seed, as they would if the same study was run again. At most 5 % of such studies may call any arm
better or worse than another. With `--settle` each goes on to up to six searches. The studies stay
in `--folder`, and the same command resumes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

STUDY = '''
"""Does one word more in the vocabulary pay?"""
from harness import Budget, FloatDistribution, Imdb, Study

study = Study(
    dataset=Imdb(train=2_000, validation=1_000, test=2_000),
    compare={"vocabulary": [5_000, 5_001, 5_002, 5_003]},
    search={
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={
        "cell": "lstm", "depth": 1, "units": 8, "sequence_length": 50, "batch_size": 32,
        "embedding_dim": 16,
    },
    sampler="qmc",
    pruner="none",
    budget=Budget(trials=6, epochs=4, trial_epochs=2),
    searches=3,
    replicates=2,
)
'''


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=10)
    parser.add_argument("--settle", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "null-studies")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "null.py").write_text(STUDY)
    settle = ["--settle", "--max-searches", "6"] if options.settle else []
    print("| seed | means | largest difference | told apart |\n|---|---|---|---|", flush=True)
    false = 0
    for seed in range(options.studies):
        runs = f"runs-{'settle-' if options.settle else ''}{seed}"
        done = subprocess.run(
            [sys.executable, "-m", "harness.study", "null.py", "--seed", str(seed), "--runs", runs,
             "--json", "-q", "--no-profile", *settle],
            cwd=options.folder, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        found = json.loads(done.stdout)
        told = [each for each in found["verdicts"] if each["verdict"] in ("better", "worse")]
        false += bool(told)
        means = [100 * arm["replicates"]["mean"] for arm in found["arms"]]
        print(
            f"| {seed} | {', '.join(f'{mean:.1f}' for mean in means)} % | "
            f"{max(means) - min(means):.1f} points | {len(told)} of {len(found['verdicts'])} |",
            flush=True,
        )
    print(f"\n{false} of {options.studies} studies tell arms apart that are alike")


if __name__ == "__main__":
    main()
