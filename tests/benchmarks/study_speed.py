"""Wall-clock time of a small study: this harness, Optuna with stock Keras, KerasTuner.

    python tests/benchmarks/study_speed.py [--space small|whole|plain] [--rounds 3] [--json]

Each contender is a process of its own, imports and compilation included, on the same cores, and
trains the same configurations for the same epochs on the same reviews. They are drawn once, at
random, from `lstm_depth`'s space (`small`: units up to 16, sequences up to 100 words). `plain` is
the study file PLAIN below: depths 1 to 4 of one small LSTM at two learning rates each.

The harness runs the command as a user gives it, with its profile and its report: first with no
compiled programs on disk (cold), then with those of that run (warm). It uses its workers, one a
core; the other two have the same cores to themselves, with TensorFlow's own threads. Contenders
take turns in each round; medians are printed, and the best validation losses of the last round.
KerasTuner needs `pip install tensorboard`.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

Key = tuple[int, int, int, float]  # depth, units, length, learning rate

EPOCHS = 3
SIZES = {"small": (16_000, 4_000), "whole": (16_000, 4_000), "plain": (12_000, 2_000)}

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
    fixed={"cell": "lstm", "batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000},
    sampler="random", pruner="none", searches=1, replicates=0,
    budget=Budget(trials=len(configurations) // len({c["depth"] for c in configurations}),
                  epochs=epochs))
'''


PLAIN = '''
"""Does depth pay for a small LSTM?"""
from harness import Budget, FloatDistribution, Imdb, Study

study = Study(
    dataset=Imdb(train=12_000, validation=2_000, test=2_000),
    compare={"depth": [1, 2, 3, 4]},
    search={"learning_rate": FloatDistribution(1e-3, 1e-2, log=True)},
    fixed={"cell": "lstm", "units": 8, "sequence_length": 100, "batch_size": 32,
           "embedding_dim": 32, "vocabulary": 10_000, "dropout": 0.0},
    sampler="random", pruner="none", budget=Budget(trials=2, epochs=3), searches=1,
    replicates=0)
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


def run_harness(space: str, given: str, programs: str) -> tuple[float, dict[Key, float]]:
    """Seconds, and the best losses; `given` is enqueued in each arm's Optuna study beforehand."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contest.py"
        file.write_text(PLAIN if space == "plain" else HARNESS)
        environment = {**os.environ, "CONFIGURATIONS": given, "HARNESS_COMPILE_CACHE": programs}
        command = [sys.executable, "-m", "harness.study", str(file), "--runs", folder, "--json"]
        if space != "plain":
            url = f"sqlite:///{folder}/study.db"
            _enqueue(url, json.loads(given)[0])
            command += ["--storage", url]
        began = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise SystemExit(done.stderr)
        losses = {}
        for path in Path(folder).glob("contest/trials/*/*/result.json"):
            result = json.loads(path.read_text())
            depth = int(path.parent.parent.name.removeprefix("depth="))
            losses[
                key({"depth": depth, "units": 8, "sequence_length": 100, **result["params"]})
            ] = result["value"]
    return seconds, losses


def key(c: dict[str, Any]) -> Key:
    return (c["depth"], c["units"], c["sequence_length"], c["learning_rate"])


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
    parser.add_argument("--space", choices=tuple(SIZES), default="small")
    parser.add_argument("--configurations", type=int, default=8)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=["optuna", "kerastuner"])
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    train, validation = SIZES[options.space]
    drawn = draw(options.space, options.configurations)
    seconds: dict[str, list[float]] = {}
    losses: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        given = json.dumps([drawn, options.epochs, train, validation])
        with tempfile.TemporaryDirectory() as programs:
            for name in ("harness, cold", "harness, warm"):
                taken, found = run_harness(options.space, given, programs)
                seconds.setdefault(name, []).append(taken)
                if options.space == "plain":  # the others train what the study has drawn
                    drawn = [
                        {"depth": depth, "units": units, "sequence_length": length,
                         "learning_rate": rate, "dropout": 0.0}
                        for depth, units, length, rate in sorted(found)
                    ]  # fmt: skip
                    given = json.dumps([drawn, options.epochs, train, validation])
                losses[name] = [found[key(c)] for c in drawn]
        for name, script in (("optuna", OPTUNA), ("kerastuner", KERASTUNER)):
            if name in options.only:
                taken, losses[name] = run_stock(script, given)
                seconds.setdefault(name, []).append(taken)
    medians = {name: statistics.median(each) for name, each in seconds.items()}
    for name, median in medians.items():
        ratios = ", ".join(
            f"{median / medians[ours]:.1f}× {ours}" for ours in ("harness, cold", "harness, warm")
        )
        shown = " ".join(f"{loss:.4f}" for loss in losses[name])
        print(f"{name:14} {median:7.1f} s   {ratios}   {shown}", file=sys.stderr)
    if options.json:
        print(json.dumps({n: {"seconds": seconds[n], "losses": losses[n]} for n in seconds}))


if __name__ == "__main__":
    main()
