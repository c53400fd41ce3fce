"""Optuna's samplers that can model only what every trial has."""

from collections.abc import Callable
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from harness.samplers.base.space import Space


def joint(kind: Callable[..., BaseSampler]) -> Callable[..., BaseSampler]:
    """A sampler of this kind, made with a space first, that models what has no condition there.

    The rest is drawn independently. Optuna takes what all trials so far have in common, which
    would change in the course of a search.
    """

    class Joint(kind):  # type: ignore[valid-type, misc]
        def __init__(self, space: Space, **options: Any) -> None:
            super().__init__(**options)
            self._conditional = frozenset(space.conditions)

        def infer_relative_search_space(
            self, study: Study, trial: FrozenTrial
        ) -> dict[str, BaseDistribution]:
            found = super().infer_relative_search_space(study, trial)
            return {name: each for name, each in found.items() if name not in self._conditional}

    return Joint
