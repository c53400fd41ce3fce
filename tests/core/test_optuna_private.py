"""Optuna's private API does what the harness relies on."""

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import TrialState

from harness.core import optuna_private


def test_ids_and_trials_are_those_of_the_storage() -> None:
    storage = optuna.storages.InMemoryStorage()
    optuna.create_study(storage=storage, study_name="first").ask()
    study = optuna.create_study(storage=storage, study_name="second")
    trial = study.ask()
    assert storage.get_study_name_from_id(optuna_private.study_id(study)) == "second"
    assert (trial.number, optuna_private.trial_id(trial)) == (0, 1)
    [frozen] = optuna_private.all_trials(study)
    assert optuna_private.trial_id(frozen) == 1
    optuna_private.set_system_attr(study, frozen, "epochs", 3)
    assert optuna_private.stored_trial(study, trial).system_attrs["epochs"] == 3


def test_hyperband_shows_a_sampler_one_bracket_and_all_trials_shows_every_one() -> None:
    pruner = optuna.pruners.HyperbandPruner(min_resource=1, max_resource=9, reduction_factor=3)
    study = optuna.create_study(study_name="brackets", pruner=pruner)
    for _ in range(12):
        trial = study.ask()
        trial.report(1.0, 1)
        trial.should_prune()  # Hyperband makes its brackets the first time it is asked
        study.tell(trial, 1.0)
    frozen = optuna_private.stored_trial(study, study.ask())
    seen = optuna_private.seen_by_sampler(study, frozen)
    complete = seen.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    assert 0 < len(complete) < 12
    assert len(optuna_private.all_trials(seen)) == 13


@pytest.mark.parametrize(
    ("distribution", "inside", "outside"),
    [
        (IntDistribution(2, 8, step=2), [2, 8], [3, 10, "a", None]),
        (FloatDistribution(1e-3, 1.0, log=True), [1e-3, 0.5], [2.0, float("nan"), "a"]),
        (CategoricalDistribution(["a", 1]), ["a", 1], ["b", 2]),
    ],
)
def test_a_distribution_contains_what_it_can_give(
    distribution: optuna.distributions.BaseDistribution, inside: list[object], outside: list[object]
) -> None:
    assert all(optuna_private.contains(distribution, value) for value in inside)
    assert not any(optuna_private.contains(distribution, value) for value in outside)
