"""Samplers by name: each file of this package is one; `cmaes.py` is `--sampler cmaes`.

A file has a function `make(seed, arm_seed, space, epochs) -> BaseSampler`. If it can't be used for
every study, it also has `check(space, trials)`, which raises UserError and says what to do. A
space may have hyperparameters that only some trials search (`harness.samplers.base.space`). A
sampler that can't search those has `CONDITIONAL = False`. `STARTUP_TRIALS` is the number of trials,
from the first, that it suggests without a look at any result; without it there is none.

A new sampler is made for each suggestion, from a seed of the trial. The reason: Optuna does not
store the state of samplers, and a sampler that is made again from the study's seed on resume would
repeat its first suggestions. `seed` differs from trial to trial. `arm_seed` is the same for all
trials of an arm, for samplers that plan ahead, such as a grid. A sampler that chooses the epochs of
a trial writes them to the trial's system attribute `EPOCHS`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.core.errors import UserError, unknown

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

    from harness.samplers.base.space import Space

EPOCHS = "harness:epochs"


def names() -> list[str]:
    return sorted(
        module.name.replace("_", "-")
        for module in pkgutil.iter_modules(__path__)
        if not module.ispkg
    )


def _module(name: str) -> Any:
    if name not in names():
        raise unknown("sampler", name, names())
    return importlib.import_module(f"{__name__}.{name.replace('-', '_')}")


def check(name: str, space: Mapping[str, "BaseDistribution"], *, trials: int) -> None:
    """Raises UserError if there is no such sampler, or it can't search this space."""
    module, space = _module(name), _with_conditions(space)
    if space.conditions and not _takes_conditions(module):
        able = [each for each in names() if _takes_conditions(_module(each))]
        raise UserError(
            f"sampler {name} can't search {next(iter(space.conditions))}, which not every trial "
            f"has; use one of {', '.join(able)}"
        )
    if hasattr(module, "check"):
        module.check(space, trials)


def _takes_conditions(module: Any) -> bool:
    return bool(getattr(module, "CONDITIONAL", True))


def startup_trials(name: str) -> float:
    """How many trials, from the first, are suggested without a look at any result."""
    return float(getattr(_module(name), "STARTUP_TRIALS", 0))


def _with_conditions(space: Mapping[str, "BaseDistribution"]) -> "Space":
    from harness.samplers.base.space import Space  # here: it needs Optuna, names do not

    return space if isinstance(space, Space) else Space(space)


def make(
    name: str, space: Mapping[str, "BaseDistribution"], *, seed: int, arm_seed: int, epochs: int
) -> "BaseSampler":
    """A new sampler for one suggestion; trainings have at most `epochs` epochs."""
    sampler: BaseSampler = _module(name).make(seed, arm_seed, _with_conditions(space), epochs)
    return sampler
