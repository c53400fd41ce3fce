"""The parts of Optuna that it does not promise to keep: every use of its private API is here.

Written for Optuna 5. A test of this module fails where another version has changed one of them.
"""

from typing import Any

from optuna.distributions import BaseDistribution
from optuna.pruners import _filter_study
from optuna.storages._rdb import models as models  # the tables of its database
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState


def study_id(study: Study) -> int:
    """The study's number in its storage."""
    return study._study_id


def trial_id(trial: Trial | FrozenTrial) -> int:
    """The trial's number in its storage; `trial.number` counts within the study."""
    return trial._trial_id


def stored_trial(study: Study, trial: Trial) -> FrozenTrial:
    """The trial as the study's storage has it now, with its system attributes."""
    return study._storage.get_trial(trial._trial_id)


def unstored_trial(number: int) -> FrozenTrial:
    """A trial that no storage has, with nothing but a number: for a look at what it will be."""
    return FrozenTrial(
        number=number, trial_id=-1, state=TrialState.RUNNING, value=None, datetime_start=None,
        datetime_complete=None, params={}, distributions={}, user_attrs={}, system_attrs={},
        intermediate_values={},
    )  # fmt: skip


def all_trials(study: Study) -> list[FrozenTrial]:
    """All trials of the study, also where Hyperband's view of it has only those of one bracket."""
    return study._storage.get_all_trials(study._study_id, deepcopy=False)


def set_system_attr(study: Study, trial: FrozenTrial, key: str, value: Any) -> None:
    study._storage.set_trial_system_attr(trial._trial_id, key, value)


def seen_by_sampler(study: Study, trial: FrozenTrial) -> Study:
    """The study as its sampler sees it: with Hyperband only the trials of the same bracket."""
    return _filter_study(study, trial)


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Whether the distribution can give this value; False for a value of another type."""
    try:
        return bool(distribution._contains(distribution.to_internal_repr(value)))
    except (ValueError, TypeError):
        return False
