"""A search space: a distribution for each hyperparameter, and where each of them applies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution

from harness.core.scalars import same

# By hyperparameter: the others that must have one of these values, so that it is searched.
Conditions = Mapping[str, Mapping[str, Sequence[Any]]]


class Space(dict[str, BaseDistribution]):
    """Distributions by name; each follows those that its condition names.

    Without conditions they are in the order given. `conditions` must have no circle.
    """

    def __init__(
        self, distributions: Mapping[str, BaseDistribution], conditions: Conditions | None = None
    ) -> None:
        self.conditions = {name: dict(each) for name, each in (conditions or {}).items() if each}
        super().__init__({name: distributions[name] for name in self._ordered(distributions)})

    def _ordered(self, names: Mapping[str, Any]) -> list[str]:
        found: dict[str, None] = {}

        def add(name: str) -> None:
            for parent in self.conditions.get(name, ()):
                if parent in names and parent not in found:
                    add(parent)
            found[name] = None

        for name in names:
            add(name)
        return list(found)

    @property
    def unconditional(self) -> dict[str, BaseDistribution]:
        """What applies to every trial."""
        return {name: each for name, each in self.items() if name not in self.conditions}

    def applies(self, name: str, values: Mapping[str, Any]) -> bool:
        """Whether it is searched in a trial with these values of what its condition names.

        It is not where one of those does not apply itself.
        """
        return all(
            parent in values and any(same(values[parent], each) for each in wanted)
            for parent, wanted in self.conditions.get(name, {}).items()
        )

    def choose(self, value_of: Callable[[str, BaseDistribution], Any]) -> dict[str, Any]:
        """A value of each hyperparameter that applies, given those chosen before it."""
        found: dict[str, Any] = {}
        for name, distribution in self.items():
            if self.applies(name, found):
                found[name] = value_of(name, distribution)
        return found

    def active(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` without those that do not apply, or are not of this space."""
        found: dict[str, Any] = {}
        for name in self:
            if name in values and self.applies(name, found):
                found[name] = values[name]
        return found

    def at(self, known: Mapping[str, Any]) -> "Space":
        """The space where hyperparameters outside of it have the values `known`.

        What they rule out is left out, and so is what depends on that.
        """
        kept: dict[str, BaseDistribution] = {}
        left: dict[str, dict[str, Sequence[Any]]] = {}
        for name, distribution in self.items():
            condition = self.conditions.get(name, {})
            possible = all(
                parent in kept
                if parent in self
                else parent not in known or any(same(known[parent], each) for each in wanted)
                for parent, wanted in condition.items()
            )
            if possible:
                kept[name] = distribution
                left[name] = {p: wanted for p, wanted in condition.items() if p not in known}
        return Space(kept, left)
