"""Samplers that suggest all hyperparameters of a trial at once."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from harness.samplers.base.space import Space


class ConfigurationSampler(BaseSampler):
    """Suggests whole configurations of a space that it knows beforehand.

    Values that do not apply are suggested too, and left out when the trial is made.
    """

    def __init__(self, space: Mapping[str, BaseDistribution]) -> None:
        self._space = space if isinstance(space, Space) else Space(space)

    @abstractmethod
    def suggest(self, study: Study, trial: FrozenTrial) -> dict[str, Any]:
        """A value for each hyperparameter of the space."""

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return self.suggest(study, trial)

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: Any
    ) -> Any:
        raise ValueError(f"{param_name} is not of the space that this sampler was made for")
