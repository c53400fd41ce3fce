"""The baseline without word order: a bag of embeddings, trained by the workers. No Keras.

Its mean leaves padding out, and it trains until its validation loss no longer falls, however few
epochs the arms have. Studies that began before these rules train it as they did.
"""

from dataclasses import replace
from typing import Any

from harness.core.seeds import derive_seed
from harness.results.records import BAG_OF_EMBEDDINGS
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import read_result
from harness.search.replicates import Planned, Replicates, planned_replicates
from harness.spec import checks
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.spec.study import Arm, Study

CANDIDATES = 3
BASELINE_LEARNING_RATES = (3e-3, 1e-2, 3e-2)
_OLD_LEARNING_RATES = (1e-3, 3e-3, 1e-2)
# Small data have few steps in an epoch: so many steps, but not more epochs, it may take in any
# case. It rarely does: after BAG_PATIENCE epochs without a lower validation loss it stops.
BAG_STEPS, BAG_EPOCHS, BAG_PATIENCE = 800, 40, 3


def bag_candidates(study: Study, directory: RunDirectory) -> Replicates:
    """The bag of embeddings at several learning rates, scored on the validation split."""
    arm = Arm(BAG_OF_EMBEDDINGS, {"cell": BAG})
    planned = []
    # The mean over time can't predict a class for each step, and says nothing about the next one.
    without = study.dataset.steps or study.signature.horizon
    old = is_old(directory)
    rates = _OLD_LEARNING_RATES if old else BASELINE_LEARNING_RATES
    for number, rate in enumerate(() if without else rates, start=1):
        record = {"arm": arm.name, "candidate": number, "params": {"learning_rate": rate}}
        planned.append(
            Planned(
                number=number,
                folder=directory.replicates(arm.name) / f"candidate={number}",
                record=record,
                hyperparameters=bag_of_embeddings(study, rate, mask=not old),
                seed=derive_seed(study.seed, "candidate"),
                score=False,
            )
        )
    return Replicates(study if old else with_epochs(study), arm, planned)


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
    old = is_old(directory)
    hyperparameters = bag_of_embeddings(study, params["learning_rate"], mask=not old)
    return [
        planned_replicates(
            study if old else with_epochs(study),
            arm,
            {"search": search, "trial": None, "params": params},
            hyperparameters,
            directory,
        )
        for search in range(1, study.independent_searches + 1)
    ]


def with_epochs(study: Study) -> Study:
    """The study with enough epochs for a bag of embeddings, and its patience."""
    batch = _most(study, "batch_size") or Hyperparameters().batch_size
    steps = -(-study.dataset.train // batch)
    epochs = max(study.budget.epochs, min(BAG_EPOCHS, -(-BAG_STEPS // steps)))
    budget = replace(study.budget, epochs=epochs)
    return replace(study, budget=budget, patience=BAG_PATIENCE)


def bag_of_embeddings(study: Study, learning_rate: float, *, mask: bool) -> Hyperparameters:
    """The mean of the words' embeddings before the same head: no word order, no recurrence.

    It has the longest sequences, the largest vocabulary and the widest embedding that any trial of
    the study can have. With `mask` the mean is over the words only: over the padding too, short
    texts would all have nearly the same mean.
    """
    names = ("sequence_length", "vocabulary", "embedding_dim", "batch_size")
    return Hyperparameters(
        cell=BAG, depth=1, units=1, learning_rate=learning_rate, mask=mask, **largest(study, *names)
    )


def largest(study: Study, *names: str) -> dict[str, Any]:
    """The largest value of each hyperparameter that any trial can have, if the study has it."""
    most = {name: _most(study, name) for name in names}
    return {name: value for name, value in most.items() if value is not None}


def is_old(directory: RunDirectory) -> bool:
    """Whether the study began with the baselines of an earlier version, which it keeps."""
    return directory.read_manifest().baselines < 2


def _most(study: Study, name: str) -> Any:
    if name in study.fixed:
        return study.fixed[name]
    if name in study.compare:
        return max(study.compare[name])
    if name in study.space:
        # Where a condition is not met, trials have the default.
        default = [getattr(Hyperparameters, name)] * (name in study.space.conditions)
        return max([*checks.ends(study.space[name]), *default])
    return None
