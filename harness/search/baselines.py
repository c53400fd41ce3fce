"""The baselines of arms: a bag of embeddings and the majority class."""

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.distributions import CategoricalDistribution

from harness.core import files
from harness.core.metrics import R2, scored
from harness.core.seeds import derive_seed
from harness.datasets.base.dataset import Split
from harness.results.records import BAG_OF_EMBEDDINGS, MAJORITY
from harness.results.run_directory import RunDirectory
from harness.search.replicates import (
    Planned,
    Replicates,
    planned_replicates,
    scored_split,
    write_scores,
)
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.spec.study import Arm, Study

BASELINE_LEARNING_RATES = (1e-3, 3e-3, 1e-2)


def bag_candidates(study: Study, directory: RunDirectory) -> Replicates:
    """The bag of embeddings at several learning rates, scored on the validation split."""
    arm = Arm(BAG_OF_EMBEDDINGS, {"cell": BAG})
    planned = []
    # The mean over time can't predict a class for each step, and says nothing about the next one.
    without = study.dataset.steps or study.signature.horizon
    rates = () if without else BASELINE_LEARNING_RATES
    for number, rate in enumerate(rates, start=1):
        record = {"arm": arm.name, "candidate": number, "params": {"learning_rate": rate}}
        planned.append(
            Planned(
                number=number,
                folder=directory.replicates(arm.name) / f"candidate={number}",
                record=record,
                hyperparameters=bag_of_embeddings(study, rate),
                seed=derive_seed(study.seed, "candidate"),
                score=False,
            )
        )
    return Replicates(study, arm, planned)


def bag_replicates(study: Study, directory: RunDirectory) -> list[Replicates]:
    """The replicates of the best candidate; None where all candidates failed."""
    arm = Arm(BAG_OF_EMBEDDINGS, {"cell": BAG})
    folders = directory.replicates(arm.name).glob("candidate=*")
    found = [files.read_object(folder / "result.json") for folder in sorted(folders)]
    scored = [record for record in found if record is not None and record["value"] is not None]
    if not scored:
        return []
    params = min(scored, key=lambda record: record["value"])["params"]
    hyperparameters = bag_of_embeddings(study, params["learning_rate"])
    return [
        planned_replicates(
            study,
            arm,
            {"search": search, "trial": None, "params": params},
            hyperparameters,
            directory,
        )
        for search in range(1, study.independent_searches + 1)
    ]


def bag_of_embeddings(study: Study, learning_rate: float) -> Hyperparameters:
    """The mean of the words' embeddings before the same head: no word order, no recurrence.

    It has the longest sequences, the largest vocabulary and the widest embedding that any trial of
    the study can have.
    """
    most = {
        name: _most(study, name)
        for name in ("sequence_length", "vocabulary", "embedding_dim", "batch_size")
    }
    given = {name: value for name, value in most.items() if value is not None}
    return Hyperparameters(cell=BAG, depth=1, units=1, learning_rate=learning_rate, **given)


def write_majority(study: Study, directory: RunDirectory) -> None:
    """Write the baseline that always predicts the training split's most frequent class, or mean.

    It does not depend on a seed, so all its replicates are the same. There are as many as an arm
    has.
    """
    plain = Hyperparameters()
    length = {"sequence_length": 1, "vocabulary": plain.vocabulary}
    dataset = study.dataset
    trained = dataset.load("train", **length).y
    constant = np.bincount(trained.ravel()).argmax() if dataset.classes else trained.mean()

    def score(split: Split, metric: str) -> NDArray[Any]:
        y = dataset.load(split, **length).y
        return scored(np.full_like(y, constant), y, metric)

    scores = score(scored_split(study), dataset.metric)
    validated = score("validation", dataset.metric if dataset.metric == R2 else "accuracy")
    searches = range(1, study.independent_searches + 1)
    for search, number in itertools.product(searches, range(1, study.replicates + 1)):
        folder = directory.replicate(MAJORITY, number, search)
        if (folder / "result.json").exists():
            continue
        record = {
            "arm": MAJORITY, "search": search, "replicate": number, "trial": None, "params": {},
            "state": "complete", "val_accuracy": float(np.mean(validated)), "parameters": 0,
            "started": files.now(), "finished": files.now(), "split": scored_split(study),
        }  # fmt: skip
        written = write_scores(folder, scores) | {"scored_loss": None}
        files.write_atomically(folder / "result.json", files.to_json(record | written))


def _most(study: Study, name: str) -> Any:
    if name in study.fixed:
        return study.fixed[name]
    if name in study.compare:
        return max(study.compare[name])
    if name in study.search:
        distribution = study.search[name]
        if isinstance(distribution, CategoricalDistribution):
            return max(distribution.choices)  # type: ignore[type-var]
        return distribution.high  # type: ignore[attr-defined]
    return None
