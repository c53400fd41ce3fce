"""What `search` declares: Optuna's distributions, of plain values."""

import warnings
from collections.abc import Sequence
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from harness.core.errors import UserError
from harness.core.scalars import same
from harness.spec.conditions import UnitsByLayer, When
from harness.spec.values import items, plain, shown


def plain_search(search: Any) -> dict[str, Any]:
    """`search` with distributions of plain values; raises UserError, which names the parameter.

    Choices that are tuples become lists: so does what a database gives back.
    """
    return {name: _plain(f"search: {name}", each) for name, each in items("search", search)}


def categorical(choices: Sequence[Any]) -> CategoricalDistribution:
    """A distribution whose choices may be lists, without Optuna's warning.

    Optuna warns that not every storage can keep them. JSON can, and so can the storages here.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Choices for a categorical distribution")
        return CategoricalDistribution(choices)


def chosen(distribution: CategoricalDistribution, value: Any) -> Any:
    """The choice that is equal to `value`, lists and tuples alike; raises ValueError without one.

    Optuna's own search takes True for 1.
    """
    for choice in distribution.choices:
        if same(choice, value):
            return choice
    raise ValueError(f"{value!r} is not one of {distribution.choices}")


def _plain(where: str, declared: Any) -> BaseDistribution | When | UnitsByLayer:
    match declared:
        case When(name=name, values=values, distribution=inner):
            of_inner = _plain(where, inner)
            if isinstance(of_inner, UnitsByLayer):
                raise UserError(f"{where}: UnitsByLayer can't have a condition; leave When out")
            return When(name, tuple(plain(where, value) for value in values), of_inner)
        case UnitsByLayer():
            return declared
        case CategoricalDistribution(choices=choices):
            listed = [_listed(plain(where, choice)) for choice in choices]
            for number, choice in enumerate(listed):
                if choice in listed[:number]:  # for Optuna 1, 1.0 and True are one choice
                    raise UserError(f"{where} lists {shown(choice)} twice, or a value equal to it")
            return categorical(listed)
        case IntDistribution(low=low, high=high, step=step, log=log):
            return IntDistribution(low, high, log=bool(log), step=step)
        case FloatDistribution(low=low, high=high, step=step, log=log):
            low, high = (plain(where, end) for end in (low, high))
            return FloatDistribution(low, high, log=bool(log), step=step)
        case BaseDistribution():
            name = type(declared).__name__
            raise UserError(f"{where}: {name} is not a distribution that a study can search")
    raise UserError(
        f"{where} needs an Optuna distribution, got {shown(declared)}; "
        "put a value that stays the same into fixed"
    )


def _listed(value: Any) -> Any:
    return [_listed(each) for each in value] if isinstance(value, tuple) else value
