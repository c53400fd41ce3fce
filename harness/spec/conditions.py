"""What `search` may declare beside Optuna's distributions: conditions, and units by layer."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
)

from harness.core.checks import is_whole
from harness.core.errors import UserError, unknown
from harness.core.optuna_private import contains
from harness.core.scalars import same
from harness.samplers.base.space import Space
from harness.spec.by_layer import is_of_layer, numbered
from harness.spec.grids import four_per_octave
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.values import shown

WHEN = "when"  # the condition's key beside a distribution's name and attributes, in files


@dataclass(frozen=True)
class When:
    """A distribution that is searched only where the hyperparameter `name` has `value`.

    A tuple or list of values means any of them. `name` is another hyperparameter that the study
    searches, compares or fixes. Elsewhere the hyperparameter has its default, and so it has where
    the other one is not searched itself. One `When` in another needs both conditions.
    """

    name: str
    value: Any
    distribution: "BaseDistribution | When"

    @property
    def values(self) -> Sequence[Any]:
        return self.value if isinstance(self.value, list | tuple) else (self.value,)


@dataclass(frozen=True)
class UnitsByLayer:
    """Units searched for each layer by itself: `search={"units": UnitsByLayer(4, 64)}`.

    Layer k has the hyperparameter `units_k`, one of `four_per_octave(low, high)`. It is searched
    in networks of at least k layers.
    """

    low: int
    high: int

    def __post_init__(self) -> None:
        whole = is_whole(self.low) and is_whole(self.high)
        if not whole or not 1 <= self.low <= self.high:
            given = f"{shown(self.low)}, {shown(self.high)}"
            raise UserError(f"UnitsByLayer({given}): needs whole numbers, 1 <= low <= high")


Declared: TypeAlias = BaseDistribution | When | UnitsByLayer


def space_of(
    search: Mapping[str, Declared], compare: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> Space:
    """The space that a study searches; raises UserError for a condition that can't be met.

    `search` has plain distributions, inside of conditions too.
    """
    distributions: dict[str, BaseDistribution] = {}
    conditions: dict[str, dict[str, Sequence[Any]]] = {}
    for name, declared in _by_layer(search, compare, fixed).items():
        conditions[name] = {}
        while isinstance(declared, When):
            if declared.name in conditions[name]:
                raise UserError(f"search: {name}: {declared.name} stands in two of its conditions")
            conditions[name][declared.name] = declared.values
            declared = declared.distribution
        assert isinstance(declared, BaseDistribution)
        distributions[name] = declared
    for name, condition in conditions.items():
        for parent, values in condition.items():
            _check(name, parent, values, distributions, compare, fixed)
        _check_no_circle(name, conditions)
    return Space(distributions, conditions)


def to_mapping(space: Space) -> dict[str, Any]:
    """The space as plain JSON values: Optuna's, and `when` where a hyperparameter has a condition.

    Optuna's own reader takes them too; it leaves `when` out.
    """
    found: dict[str, Any] = {}
    for name, distribution in space.items():
        found[name] = json.loads(distribution_to_json(distribution))
        if name in space.conditions:
            when = space.conditions[name]
            found[name][WHEN] = {parent: list(values) for parent, values in when.items()}
    return found


def in_distribution(
    declared: Any, change: Callable[[BaseDistribution], BaseDistribution]
) -> BaseDistribution | When:
    """`declared` with its distribution changed by a function, its conditions kept."""
    if isinstance(declared, When):
        return When(declared.name, declared.value, in_distribution(declared.distribution, change))
    assert isinstance(declared, BaseDistribution)
    return change(declared)


def _by_layer(
    search: Mapping[str, Declared], compare: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> dict[str, BaseDistribution | When]:
    """`search` with a hyperparameter for each layer in the place of `UnitsByLayer`."""
    found: dict[str, BaseDistribution | When] = {}
    for name, declared in search.items():
        if not isinstance(declared, UnitsByLayer):
            found[name] = declared
            continue
        if name != "units":
            raise UserError(f"search: {name}: UnitsByLayer goes with units alone")
        depths = _depths(search, compare, fixed)
        if twice := next((other for other in search if is_of_layer(other)), None):
            raise UserError(f"search: {twice} stands beside UnitsByLayer; leave one of them out")
        for layer in range(1, max(depths) + 1):
            deep = tuple(depth for depth in depths if depth >= layer)
            of_layer = four_per_octave(declared.low, declared.high)
            found[numbered(layer)] = (
                of_layer if len(deep) == len(depths) else When("depth", deep, of_layer)
            )
    return found


def _depths(
    search: Mapping[str, Declared], compare: Mapping[str, Sequence[Any]], fixed: Mapping[str, Any]
) -> list[int]:
    """All depths of the study's networks."""
    searched = search.get("depth")
    if searched is None:
        depths = list(compare.get("depth") or [fixed.get("depth", Hyperparameters().depth)])
    elif isinstance(searched, IntDistribution):
        depths = list(range(searched.low, searched.high + 1, searched.step))
    elif isinstance(searched, CategoricalDistribution):
        depths = list(searched.choices)
    else:
        raise UserError("search: units: UnitsByLayer needs a depth without a condition")
    if not all(is_whole(depth) and depth >= 1 for depth in depths):
        raise UserError(f"depth: {shown(depths)} are not whole numbers of at least 1")
    return depths


def _check(
    name: str,
    parent: str,
    values: Sequence[Any],
    distributions: Mapping[str, BaseDistribution],
    compare: Mapping[str, Sequence[Any]],
    fixed: Mapping[str, Any],
) -> None:
    """Raises UserError unless the study has the hyperparameter `parent`, with all `values`."""
    known = [*distributions, *compare, *fixed]
    if not isinstance(parent, str) or parent not in known or parent == name:
        others = [each for each in known if each != name]
        raise unknown(f"search: {name}: When: hyperparameter of the study", str(parent), others)
    if not values:
        raise UserError(f"search: {name}: When({parent!r}, …) needs a value, or a tuple of values")
    for value in values:
        if parent in distributions:
            taken = contains(distributions[parent], value) and _of_its_type(
                distributions[parent], value
            )
        else:
            taken = any(same(value, each) for each in compare.get(parent, [fixed.get(parent)]))
        if not taken:
            raise UserError(
                f"search: {name} is searched where {parent} is {shown(value)}, but the study never "
                f"has that {parent}; name a value that it has"
            )


def _of_its_type(distribution: BaseDistribution, value: Any) -> bool:
    """For Optuna True is 1. And of all real numbers a sampler never draws a certain one."""
    if isinstance(distribution, FloatDistribution) and distribution.step is None:
        return distribution.single()
    if isinstance(distribution, CategoricalDistribution):
        return any(same(value, choice) for choice in distribution.choices)
    return not isinstance(value, bool)


def _check_no_circle(name: str, conditions: Mapping[str, Mapping[str, Any]]) -> None:
    path, left = [name], list(conditions[name])
    seen: set[str] = set()
    while left:
        parent = left.pop()
        if parent == name:
            raise UserError(
                f"search: {name}: its condition depends on {name} itself, by way of "
                f"{', '.join(path[1:]) or name}; leave one of the conditions out"
            )
        if parent not in seen:
            seen.add(parent)
            path.append(parent)
            left += conditions.get(parent, {})
