"""The grid of configurations that `harness tabulate` trains."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.errors import UserError

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from harness.spec.study import Study


MAX_CONFIGURATIONS = 20_000


@dataclass(frozen=True)
class Grid:
    """Every combination of these values; the last hyperparameter changes fastest."""

    values: Mapping[str, tuple[Any, ...]]

    @classmethod
    def of(cls, study: "Study", at: Sequence[str], levels: int) -> "Grid":
        """The compared values, and of each searched hyperparameter the values `at`, or `levels`."""
        if study.space.conditions:
            raise UserError(
                f"{next(iter(study.space.conditions))} is not searched in every trial, and a table "
                "has all combinations; take a study without conditions"
            )
        given = dict(_given(text, study) for text in at)
        values = {name: tuple(each) for name, each in study.compare.items()}
        for name, distribution in study.space.items():
            values[name] = given.get(name) or spaced(distribution, levels)
        for name, each in values.items():
            if any(isinstance(value, list | tuple) for value in each):
                raise UserError(
                    f"{name}: a table keeps numbers and texts, not lists; give --at {name}= with "
                    "other choices, or take a study without lists"
                )
        grid = cls(values)
        if len(grid) > MAX_CONFIGURATIONS:
            raise UserError(
                f"{len(grid):,} configurations are too many; take fewer --levels, or give values: "
                f"--at {next(iter(study.space))}=…"
            )
        return grid

    def __len__(self) -> int:
        return math.prod(len(each) for each in self.values.values())

    def configurations(self) -> list[dict[str, Any]]:
        names = list(self.values)
        combinations = itertools.product(*self.values.values())
        return [dict(zip(names, each, strict=True)) for each in combinations]


def spaced(distribution: "BaseDistribution", levels: int) -> tuple[Any, ...]:
    """All choices; or `levels` numbers from end to end, evenly on the distribution's scale."""
    import numpy as np
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(distribution, CategoricalDistribution):
        return tuple(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    between = np.geomspace if distribution.log else np.linspace
    low, high = distribution.low, distribution.high
    found = [float(v) for v in between(low, high, levels)] if levels > 1 else [(low + high) / 2]
    if isinstance(distribution, IntDistribution):
        found = [low + round((v - low) / distribution.step) * distribution.step for v in found]
    return tuple(dict.fromkeys(found))


def _given(text: str, study: "Study") -> tuple[str, tuple[Any, ...]]:
    name, _, listed = text.partition("=")
    if name not in study.space:
        known = ", ".join(study.space) or "nothing"
        raise UserError(f"--at {text}: {name!r} is not searched; the study searches {known}")
    distribution = study.space[name]
    values = tuple(_value(text, word.strip(), distribution) for word in listed.split(",") if word)
    if not values:
        raise UserError(f"--at {text}: give values, for example --at {name}=1,2")
    return name, values


def _value(text: str, word: str, distribution: "BaseDistribution") -> Any:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    from harness.core.optuna_private import contains

    if isinstance(distribution, CategoricalDistribution):
        found = {str(choice): choice for choice in distribution.choices}
        if word not in found:
            raise UserError(f"--at {text}: {word} is not one of {', '.join(found)}")
        return found[word]
    try:
        value = int(word) if isinstance(distribution, IntDistribution) else float(word)
    except ValueError:
        raise UserError(f"--at {text}: {word!r} is not a number") from None
    if not contains(distribution, value):
        raise UserError(f"--at {text}: {word} lies outside of {distribution}")
    return value
