"""Samplers by name: each file of this package is one, `cmaes.py` is `--sampler cmaes`.

A file offers `make(seed, arm_seed, space, epochs) -> BaseSampler` and, where it can't serve every
study, `check(space, trials)`, which raises UserError with the way out.

A sampler is made anew for each suggestion, from a seed that names the trial: Optuna stores no
sampler state, and one re-created on resume from the study's seed would repeat its first
suggestions. `seed` differs from trial to trial; `arm_seed` is the arm's own and stays, for
samplers that plan ahead, as a grid does. A sampler that gives trials epochs of their own says so in
the trial's system attribute `EPOCHS`.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.core.errors import unknown

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

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
    """Raises UserError where there is no such sampler, or it can't search this space."""
    module = _module(name)
    if hasattr(module, "check"):
        module.check(space, trials)


def make(
    name: str, space: Mapping[str, "BaseDistribution"], *, seed: int, arm_seed: int, epochs: int
) -> "BaseSampler":
    """A fresh sampler for one suggestion; trainings have `epochs` epochs at most."""
    sampler: BaseSampler = _module(name).make(seed, arm_seed, space, epochs)
    return sampler
