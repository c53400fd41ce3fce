"""Wall-clock time of a small study: this harness, Optuna with stock Keras, KerasTuner.

    python tests/benchmarks/study_speed.py [--space small|whole] [--configurations 8] [--json]

Each contender is a process of its own, imports and compilation included, on the same cores, and
trains the same configurations for the same epochs on the same reviews: drawn once, at random,
from `lstm_depth`'s space (`small`: units up to 16, sequences up to 100 words). The harness uses
its workers, one a core; the other two have the same cores to themselves, with TensorFlow's own
threads. Best validation losses are printed beside the times. KerasTuner needs `pip install
tensorboard`.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EPOCHS, TRAIN, VALIDATION = 3, 16_000, 4_000

# What a tutorial's reader would write, for both stock contenders.
STOCK = """
import json, sys, time
import numpy as np
import keras
from harness import Imdb

configurations, epochs, train, validation = json.loads(sys.argv[1])
dataset = Imdb(train=train, validation=validation, test=1000)

def data(split, length):
    arrays = dataset.load(split, sequence_length=length, vocabulary=10_000)
    return arrays.x, arrays.y

def build(c):
    layers = [keras.layers.Embedding(10_000, 32)]
    for i in range(c["depth"]):
        layers += [keras.layers.LSTM(c["units"], return_sequences=i < c["depth"] - 1),
                   keras.layers.Dropout(c["dropout"])]
    model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(c["learning_rate"]), "binary_crossentropy",
                  metrics=["accuracy"])
    return model
"""

OPTUNA = (
    STOCK
    + """
import optuna
optuna.logging.set_verbosity(optuna.logging.ERROR)

def objective(trial):
    c = {k: trial.suggest_categorical(k, sorted({d[k] for d in configurations}))
         for k in configurations[0]}
    length = c["sequence_length"]
    history = build(c).fit(*data("train", length), batch_size=32, epochs=epochs, verbose=0,
                           validation_data=data("validation", length))
    return min(history.history["val_loss"])

study = optuna.create_study()
for c in configurations:
    study.enqueue_trial(c)
study.optimize(objective, n_trials=len(configurations))
print(json.dumps([t.value for t in study.trials]))
"""
)

KERASTUNER = (
    STOCK
    + """
import tempfile, keras_tuner

class Model(keras_tuner.HyperModel):
    def build(self, hp):
        return build(configurations[hp.Choice("number", list(range(len(configurations))))])

    def fit(self, hp, model, *args, **kwargs):
        length = configurations[hp.get("number")]["sequence_length"]
        history = model.fit(*data("train", length), batch_size=32, epochs=epochs, verbose=0,
                            validation_data=data("validation", length))
        return min(history.history["val_loss"])

tuner = keras_tuner.RandomSearch(Model(), objective=None, max_trials=len(configurations),
                                 directory=tempfile.mkdtemp(), project_name="x", seed=1)
tuner.search(verbose=0)
trials = tuner.oracle.get_best_trials(len(configurations))
losses = {t.hyperparameters.get("number"): t.score for t in trials}
print(json.dumps([losses.get(i) for i in range(len(configurations))]))
"""
)

HARNESS = '''
"""Which of these configurations is best?"""
import json, os
from harness import Budget, CategoricalDistribution, Imdb, Study

configurations, epochs, train, validation = json.loads(os.environ["CONFIGURATIONS"])
study = Study(
    dataset=Imdb(train=train, validation=validation, test=1000),
    compare={"depth": sorted({c["depth"] for c in configurations})},
    search={k: CategoricalDistribution(sorted({c[k] for c in configurations}))
            for k in configurations[0] if k != "depth"},
    fixed={"cell": "lstm"}, sampler="random", pruner="none", searches=1, replicates=0,
    budget=Budget(trials=len(configurations) // len({c["depth"] for c in configurations}),
                  epochs=epochs))
'''


def draw(space: str, count: int) -> list[dict[str, object]]:
    """Configurations of `lstm_depth`'s space, as many of each depth."""
    dice = random.Random(0)
    units, lengths = (16, [50, 100]) if space == "small" else (64, [50, 100, 200])
    return [
        {
            "depth": number % 4 + 1,
            "units": round(4 * (units / 4) ** dice.random()),
            "sequence_length": dice.choice(lengths),
            "learning_rate": 3e-4 * 100 ** dice.random(),
            "dropout": 0.5 * dice.random(),
        }
        for number in range(count)
    ]


def run_stock(script: str, given: str) -> tuple[float, list[float]]:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, given], capture_output=True, text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if done.returncode:
        raise SystemExit(done.stderr)
    return seconds, json.loads(done.stdout.splitlines()[-1])


def run_harness(given: str) -> tuple[float, list[float]]:
    """The same configurations, enqueued in each arm's Optuna study before it starts."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contest.py"
        file.write_text(HARNESS)
        environment = {**os.environ, "CONFIGURATIONS": given}
        url = f"sqlite:///{folder}/study.db"
        _enqueue(url, json.loads(given)[0])
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "harness.study", str(file), "--runs", folder, "-q", "--json",
             "--no-profile", "--storage", url],
            capture_output=True, text=True, env=environment,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(done.stderr)
        results = [
            json.loads(p.read_text()) for p in Path(folder).glob("contest/trials/*/*/result.json")
        ]
    key = lambda c: (c["units"], c["sequence_length"], c["learning_rate"])  # noqa: E731
    losses = {key(result["params"]): result["value"] for result in results}
    return seconds, [losses[key(c)] for c in json.loads(given)[0]]


def _enqueue(url: str, configurations: list[dict[str, object]]) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for c in configurations:
        study = optuna.create_study(
            storage=url, study_name=f"contest/depth={c['depth']}", load_if_exists=True
        )
        study.enqueue_trial({k: v for k, v in c.items() if k != "depth"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", choices=("small", "whole"), default="small")
    parser.add_argument("--configurations", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--train", type=int, default=TRAIN)
    parser.add_argument("--only", nargs="*", default=["harness", "optuna", "kerastuner"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    given = json.dumps(
        [draw(options.space, options.configurations), options.epochs, options.train, VALIDATION]
    )
    contenders = {
        "harness": lambda: run_harness(given),
        "optuna": lambda: run_stock(OPTUNA, given),
        "kerastuner": lambda: run_stock(KERASTUNER, given),
    }
    results = {}
    for name in options.only:
        seconds, losses = contenders[name]()
        results[name] = {"seconds": seconds, "best_val_losses": losses}
        print(f"{name:12} {seconds:8.1f} s   " + " ".join(f"{x:.4f}" for x in losses), flush=True,
              file=sys.stderr)  # fmt: skip
    if "harness" in results:
        for name, result in results.items():
            result["ratio"] = result["seconds"] / results["harness"]["seconds"]
            print(f"{name:12} {result['ratio']:8.1f} × the harness's time", file=sys.stderr)
    if options.json:
        print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
