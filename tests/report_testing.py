"""Run directories with generated numbers: seeded, plausible, and as odd as a test needs."""

import itertools
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import profile_testing
from numpy.typing import NDArray

from harness.core import files
from harness.datasets.base.predictions import Predictions
from harness.results import records
from harness.results.manifest import SCHEMA
from harness.results.run_directory import RunDirectory
from harness.search import score_files

NOW = "2026-11-23T12:00:00Z"
SEARCH: dict[str, Any] = {
    "units": {
        "name": "IntDistribution",
        "attributes": {"log": True, "step": 1, "low": 4, "high": 64},
    },
    "sequence_length": {
        "name": "CategoricalDistribution",
        "attributes": {"choices": [50, 100, 200]},
    },
    "learning_rate": {
        "name": "FloatDistribution",
        "attributes": {"step": None, "low": 0.0003, "high": 0.03, "log": True},
    },
    "dropout": {
        "name": "FloatDistribution",
        "attributes": {"step": None, "low": 0.0, "high": 0.5, "log": False},
    },
}
ENVIRONMENT: dict[str, Any] = {
    "python": "3.11.7",
    "platform": "Linux-6.1-x86_64",
    "cpu": "A processor",
    "cores": 2,
    "memory_gb": 24.0,
    "packages": {"tensorflow": "2.21.0", "optuna": "5.0.0"},
    "git": {"commit": "0123456789abcdef", "dirty": False},
}

Edit = Callable[[dict[str, Any]], dict[str, Any] | None]
MakeRun = Callable[..., Path]


def write_run(
    root: Path,
    *,
    compare: dict[str, Sequence[Any]] | None = None,
    trials: int = 10,
    replicates: int = 0,
    searches: int = 1,
    epochs: int = 5,
    wanted: int | None = None,
    edit: Edit = lambda result: result,
    manifest: dict[str, Any] | None = None,
    seed: int = 0,
) -> Path:
    """Write `searches` searches of each arm, and a bag of embeddings.

    Each search has `trials` trials and `replicates` replicates. Replicates are numbered through all
    searches for their scores: 5 searches of 1 replicate have the scores of 1 search of 5.

    `edit` gets each trial's result and may change it. A result in the state running is written to
    started.json; None writes a folder without a result. `manifest` replaces entries of the
    manifest.
    """
    chance = random.Random(seed)
    compare = {"depth": [1, 2, 3, 4]} if compare is None else compare
    combinations = [
        dict(zip(compare, values, strict=True)) for values in itertools.product(*compare.values())
    ]
    arms = [
        {"name": ",".join(f"{k}={v}" for k, v in values.items()) or "all", "values": values}
        for values in combinations
    ]
    sizes = {"name": "imdb", "train": 16000, "validation": 4000, "test": 5000}
    content = {
        "schema": SCHEMA,
        "study": root.name,
        "question": "Does stacking LSTM layers pay on IMDB reviews?",
        "quick": False,
        "spec": {
            "dataset": sizes,
            "compare": {name: list(values) for name, values in compare.items()},
            "search": SEARCH,
            "fixed": {"cell": "lstm", "batch_size": 32, "embedding_dim": 32, "vocabulary": 10000},
            "sampler": "tpe",
            "pruner": "median",
            "budget": {"trials": trials if wanted is None else wanted, "epochs": epochs},
            "searches": searches,
            "replicates": replicates,
            "seed": 0,
            "backend": "tensorflow",
            "device": "auto",
            "threads": 1,
        },
        "arms": arms,
        "fingerprint": "5eed" * 8,
        "dataset": {**sizes, "sha256": "ab" * 32},
        "storage": f"sqlite:///{root}/study.db",
        "created": NOW,
        "environment": ENVIRONMENT,
        **(manifest or {}),
    }
    files.write_atomically(root / "manifest.json", json.dumps(content))
    for index, arm in enumerate(arms):
        for search in range(1, searches + 1):
            for number in range(trials):
                result, lines = _trial(chance, arm["name"], index, number, epochs)
                folder = RunDirectory(root).trial(arm["name"], number, search)
                _write_trial(folder, edit({**result, "search": search}), lines)
    if trials:
        made_up = profile_testing.profile(arms=[arm["name"] for arm in arms])
        files.write_atomically(root / "profile.json", files.to_json(made_up))
    for index, arm in enumerate([*arms, {"name": records.BAG_OF_EMBEDDINGS}] if replicates else []):
        for search in range(1, searches + 1):
            for number in range(1, replicates + 1):
                seed = (search - 1) * replicates + number
                write_replicate(
                    root, arm["name"], number, 0.875 - 0.02 * index, search=search, seed=seed
                )
    return root


def run_maker(folder: Path) -> MakeRun:
    """Returns `make(name, **options)`: `write_run` below `folder/runs/`."""

    def make(name: str = "lstm_depth", **options: Any) -> Path:
        return write_run(folder / "runs" / name, **options)

    return make


def write_replicate(
    root: Path,
    arm: str,
    number: int,
    accuracy: float,
    n: int = 500,
    *,
    search: int = 1,
    seed: int | None = None,
) -> None:
    """A replicate whose model is right about `accuracy` of `n` examples, the easy ones first.

    Its scores are drawn from `seed`, by default its number.
    """
    seed = number if seed is None else seed
    rng = np.random.default_rng(seed)
    hard = np.linspace(-1, 1, n)
    right = rng.random(n) < np.clip(accuracy - 0.1 * hard, 0, 1)
    folder = RunDirectory(root).replicate(arm, number, search)
    lines = [
        {
            "epoch": epoch, "loss": 0.5 / epoch, "accuracy": 0.8, "val_loss": 0.3 + 0.2 / epoch,
            "val_accuracy": accuracy, "train_s": 2.0, "validation_s": 0.2,
            "compile_s": 3.0 if epoch == 1 and number == 1 else 0.0, "step_ms": 4.0,
        }
        for epoch in (1, 2, 3)
    ]  # fmt: skip
    result = {
        "arm": arm, "search": search, "replicate": number, "trial": 0, "state": "complete",
        "params": {"units": 9},
        "scored_accuracy": float(right.mean()), "scored_loss": 0.31, "scored_n": n, "value": 0.36,
        "val_accuracy": accuracy, "best_epoch": 3, "parameters": 321_000,
        "step_ms": 4.0 + 100 * (0.9 - accuracy), "train_s": 9.6, "path": "keras",
        "seed": seed, "reason": None, "started": NOW, "finished": NOW,
    }  # fmt: skip
    folder.mkdir(parents=True)
    np.save(folder / "scores.npy", right.astype(np.uint8))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "result.json").write_text(json.dumps(result))
    if number == 1 and arm not in records.BASELINES:
        write_classes(folder, right, rng)


def write_classes(folder: Path, right: NDArray[np.bool_], rng: np.random.Generator) -> None:
    """Predictions of two classes of texts, of which those are `right`."""
    truth = rng.integers(0, 2, len(right))
    certainty = rng.uniform(0.5, 1.0, len(right)).astype(np.float32)
    mistakes = sorted(np.flatnonzero(~right), key=lambda place: -certainty[place])[:3]
    found = Predictions(
        truth=truth.astype(np.int32),
        predicted=np.where(right, truth, 1 - truth).astype(np.int32),
        certainty=certainty,
        mistakes=np.array(mistakes, np.int32),
        inputs=tuple(f"number {place} was … a <b>fine</b> film" for place in mistakes),
    )
    score_files.write_predictions(folder, found)


LEVELS = {"depth=1,nesting=1": 0.97, "depth=2,nesting=1": 0.96,
          "depth=1,nesting=2": 0.5, "depth=2,nesting=2": 0.9}  # fmt: skip


def write_accuracies(
    root: Path, accuracies: dict[str, float], n: int = 4000, searches: int = 5
) -> Path:
    """Searches of arms named depth=N, each of one replicate with about the arm's accuracy.

    A step of depth N takes 10 · N ms.
    """
    compare: dict[str, Sequence[Any]] = {"depth": [int(arm[-1]) for arm in accuracies]}
    write_run(root, compare=compare, trials=3, searches=searches)
    for arm, accuracy in accuracies.items():
        for search in range(1, searches + 1):
            write_replicate(root, arm, 1, accuracy, n, search=search, seed=search)
            change_replicate(root, arm, 1, search=search, step_ms=10.0 * int(arm[-1]))
    return root


def change_replicate(
    root: Path, arm: str, number: int, *, search: int = 1, **values: object
) -> None:
    """Replace values of a replicate's result.json."""
    file = RunDirectory(root).replicate(arm, number, search) / "result.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def write_levels(root: Path, accuracies: dict[str, float], solved: float) -> Path:
    """Searches of arms named depth=…,nesting=…; the declared difficulty is nesting 1."""
    arms = []
    for name in accuracies:
        values = dict(each.split("=") for each in name.split(","))
        arms.append({"name": name, "values": {key: int(value) for key, value in values.items()}})
    write_run(root, compare={"depth": [1]}, trials=0, searches=5, manifest={"arms": arms})
    manifest = json.loads((root / "manifest.json").read_text())
    task = {"difficulty": "nesting", "nesting": 1, "solved": solved}
    manifest["spec"]["dataset"] |= task
    (root / "manifest.json").write_text(json.dumps(manifest))
    for arm, accuracy in (accuracies | {records.BAG_OF_EMBEDDINGS: 0.3}).items():
        for search in range(1, 6):
            write_replicate(root, arm, 1, accuracy, 2000, search=search, seed=search)
    return root


FORECAST: dict[str, Any] = {
    "name": "sales.csv", "task": "forecast", "metric": "MAE", "unit": "units", "horizon": 7,
    "frequency": "1 day", "season": 7, "targets": ["units"], "inputs": ["units"],
    "mase_scale": 12.3, "test_times": 200, "folds": 1, "train": 1000, "validation": 200,
    "test": 200, "sha256": "cd" * 32,
}  # fmt: skip


def write_forecasts(
    root: Path,
    errors: dict[str, float],
    *,
    facts: dict[str, Any] | None = None,
    searches: int = 3,
    start: str = "2024-01-01",
) -> Path:
    """A study of forecasts, of arms named depth=N; `errors` are their noises' deviations.

    Truth is a series with a season of 7 days. `errors` may name baselines. All have the same part
    of noise, so that arms with the same deviation are alike. A step of depth N takes 10 · N ms.
    """
    facts = {**FORECAST, **(facts or {})}
    arms = [name for name in errors if name.startswith("depth")]
    write_run(
        root,
        compare={"depth": [int(arm.removeprefix("depth=")) for arm in arms]},
        trials=6,
        searches=searches,
        edit=lambda result: {**result, "val_accuracy": 30.0 * result["value"]},
        manifest={"dataset": facts},
    )
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["spec"] |= {"dataset": {name: facts[name] for name in ("name", "train", "validation",
                         "test", "metric")}, "replicates": 1, "margin": 0.01}  # fmt: skip
    (root / "manifest.json").write_text(json.dumps(manifest))
    n, horizon, targets = facts["test_times"], facts["horizon"], len(facts["targets"])
    at = np.arange(n)[:, None] + np.arange(horizon)
    days = (np.datetime64(start) + at).astype(str)
    series = 100 + 30 * np.sin(2 * np.pi * np.arange(n + horizon) / 7)
    truth = np.repeat(series[at][:, :, None], targets, axis=2)
    shared = np.random.default_rng(0).standard_normal(truth.shape)
    for index, (arm, deviation) in enumerate(errors.items()):
        for search in range(1, searches + 1):
            own = np.random.default_rng([index, search]).standard_normal(truth.shape)
            growing = np.linspace(1, 1.5, horizon)[:, None]
            forecast = truth + deviation * growing * (0.9 * shared + 0.1 * own)
            scores = np.abs(forecast - truth).mean(axis=(1, 2))
            write_replicate(root, arm, 1, 0.9, n, search=search, seed=search)
            folder = RunDirectory(root).replicate(arm, 1, search)
            np.save(folder / "scores.npy", scores)
            np.savez(folder / "forecast.npz", times=days, truth=truth.astype(np.float32),
                     forecast=forecast.astype(np.float32))  # fmt: skip
            change_replicate(
                root, arm, 1, search=search, scored_accuracy=float(scores.mean()), split="test",
                val_accuracy=deviation, step_ms=10.0 * (1 + index),
                measures={"RMSE": 1.3 * float(scores.mean()), "MASE": float(scores.mean()) / 12.3,
                          "sMAPE": None},
            )  # fmt: skip
    return root


def _trial(
    chance: random.Random, arm: str, index: int, number: int, epochs: int
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    params = {
        "units": round(4 * 16 ** chance.random()),
        "sequence_length": chance.choice([50, 100, 200]),
        "learning_rate": 0.0003 * 100 ** chance.random(),
        "dropout": chance.uniform(0.0, 0.5),
    }
    floor = 0.34 + 0.03 * abs(index % 4 - 1) + 0.0005 * (200 - params["sequence_length"])
    floor += chance.uniform(0.0, 0.08)
    pruned = number >= 5 and chance.random() < 0.35
    step_ms = (2 + 0.08 * params["sequence_length"]) * (1 + 0.7 * index)
    lines = []
    for epoch in range(1, (chance.randint(1, epochs - 1) if pruned and epochs > 1 else epochs) + 1):
        loss = floor + 0.3 * 2.7**-epoch + 0.02 * max(0, epoch - 3) + 0.06 * pruned
        lines.append(
            {
                "epoch": epoch,
                "loss": loss - 0.05 * epoch,
                "accuracy": 0.8 + 0.03 * epoch,
                "val_loss": loss,
                "val_accuracy": 1.02 - 0.5 * loss + chance.gauss(0, 0.004),
                "train_s": step_ms * 0.5,
                "validation_s": step_ms * 0.05,
                "compile_s": 4.0 if epoch == 1 else 0.0,
                "step_ms": step_ms,
            }
        )
    best = min(lines, key=lambda line: line["val_loss"])
    result = {
        "arm": arm,
        "trial": number,
        "state": "pruned" if pruned else "complete",
        "value": best["val_loss"],
        "val_accuracy": best["val_accuracy"],
        "best_epoch": best["epoch"],
        "parameters": 320_000 + (index + 1) * 4 * params["units"] * (params["units"] + 33),
        "step_ms": step_ms,
        "train_s": sum(line["train_s"] + line["validation_s"] for line in lines) + 4.0,
        "path": "keras",
        "seed": 1000 * index + number,
        "reason": None,
        "started": NOW,
        "finished": NOW,
        "params": params,
    }
    return result, lines


def _write_trial(folder: Path, result: dict[str, Any] | None, lines: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    if result is not None:
        name = "started.json" if result["state"] == "running" else "result.json"
        (folder / name).write_text(json.dumps(result), encoding="utf-8")
    if result is None or result["state"] != "failed":
        (folder / "metrics.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8"
        )
