"""The baseline without word order: a bag of embeddings, trained like an arm. No Keras."""

from typing import Any

from optuna.distributions import CategoricalDistribution

from harness.core.seeds import derive_seed
from harness.results.records import BAG_OF_EMBEDDINGS
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import read_result
from harness.search.replicates import Planned, Replicates, planned_replicates
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
    """The replicates of the best candidate; none before all have ended, or where all failed."""
    if bag_candidates(study, directory).has_more:
        return []
    arm = Arm(BAG_OF_EMBEDDINGS, {"cell": BAG})
    folders = directory.replicates(arm.name).glob("candidate=*")
    found = [read_result(folder) for folder in sorted(folders)]
    scored = [each for each in found if each is not None and each.get("value") is not None]
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
