"""Whether a trial from elsewhere is a trial of a study: of which arm, with which values."""

from collections.abc import Iterable, Mapping
from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution

from harness.core.checks import is_number
from harness.core.errors import UserError
from harness.core.optuna_private import contains
from harness.core.scalars import same
from harness.spec.study import Arm, Study
from harness.spec.values import hashable, shown


class UnfitError(Exception):
    """Why a trial is not one of the study: a sentence without a subject."""


def fit(study: Study, arms: Iterable[Arm], params: Mapping[str, Any]) -> tuple[Arm, dict[str, Any]]:
    """The arm that a trial with these hyperparameters belongs to, and its searched values.

    Whatever else the trial names must be as the study has it. What it does not name is taken as
    equal. Raises UnfitError, which says what differs.
    """
    arm = _arm(study, arms, params)
    searched = study.space_of(arm).choose(lambda name, each: _searched(name, each, params))
    try:
        fixed = study.hyperparameters(arm, searched).to_mapping(defaults=True)
    except UserError as error:
        raise UnfitError(f"it does not fit: {error}") from None
    dataset = study.dataset_of(arm)
    known = {**vars(dataset), **fixed, **study.fixed}
    for name, value in params.items():
        if name in searched or name in study.compare:
            continue
        if name not in known:
            raise UnfitError(
                f"it has {name} {shown(value)}, which is no hyperparameter of the study"
            )
        try:
            counterpart(known[name], value)
        except ValueError:
            raise UnfitError(f"its {name} is {shown(value)}, not {shown(known[name])}") from None
    return arm, searched


def counterpart(declared: Any, found: Any) -> Any:
    """`declared`, where `found` means it; raises ValueError otherwise.

    Other tools keep whole numbers as 8.0, booleans as 0 and 1, and values of mixed types as text.
    """
    if isinstance(found, str) and not isinstance(declared, str):
        meant = found in (str(declared), repr(declared), str(hashable(declared)))
    elif isinstance(declared, bool) and is_number(found):
        meant = found == declared
    else:
        meant = same(declared, found)
    if not meant:
        raise ValueError(f"{found!r} is not {declared!r}")
    return declared


def _arm(study: Study, arms: Iterable[Arm], params: Mapping[str, Any]) -> Arm:
    for arm in arms:
        if all(name in params and _means(v, params[name]) for name, v in arm.values.items()):
            return arm
    values = ", ".join(f"{name} {shown(params.get(name))}" for name in study.compare)
    raise UnfitError(f"no arm has its {values}")


def _searched(name: str, distribution: BaseDistribution, params: Mapping[str, Any]) -> Any:
    """The trial's value as one of the distribution."""
    if name not in params:
        raise UnfitError(f"it has no {name}")
    found = params[name]
    if isinstance(distribution, CategoricalDistribution):
        for meant in (same, _means):  # "1" is rather the choice "1" than the choice 1
            for choice in distribution.choices:
                if meant(choice, found):
                    return choice
    elif is_number(found):
        whole = isinstance(distribution, IntDistribution)
        value = int(found) if whole and float(found).is_integer() else found
        if contains(distribution, value):
            return value if whole else float(value)
    raise UnfitError(f"{name} {shown(found)} is outside of {shown(distribution)}")


def _means(declared: Any, found: Any) -> bool:
    try:
        counterpart(declared, found)
    except ValueError:
        return False
    return True
