"""How deep should an RNN be? Fair studies of recurrent depth, and what each depth costs.

What study files import is here, loaded when asked for: `import harness` itself is instant.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    from harness.datasets.imdb import Imdb
    from harness.datasets.imdb_keras import ImdbKeras
    from harness.spec import Budget, Study

__all__ = [
    "Budget",
    "CategoricalDistribution",
    "FloatDistribution",
    "Imdb",
    "ImdbKeras",
    "IntDistribution",
    "Study",
]

_HOMES = {
    "Budget": "harness.spec",
    "CategoricalDistribution": "optuna.distributions",
    "FloatDistribution": "optuna.distributions",
    "Imdb": "harness.datasets.imdb",
    "ImdbKeras": "harness.datasets.imdb_keras",
    "IntDistribution": "optuna.distributions",
    "Study": "harness.spec",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
