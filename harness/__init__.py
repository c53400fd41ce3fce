"""How deep should an RNN be? Fair studies of recurrent depth, and what each depth costs.

What study files import is here, loaded when asked for: `import harness` itself is instant.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    from harness.datasets.adding import Adding
    from harness.datasets.base import Arrays, Dataset
    from harness.datasets.copy_memory import CopyMemory
    from harness.datasets.digits import Digits
    from harness.datasets.dyck import Dyck
    from harness.datasets.imdb import Imdb
    from harness.datasets.imdb_keras import ImdbKeras
    from harness.datasets.list_ops import ListOps
    from harness.datasets.modular_counting import ModularCounting
    from harness.datasets.number_files import NumberFiles
    from harness.datasets.parity import Parity
    from harness.datasets.split_numbers import SplitNumbers
    from harness.datasets.teacher import Teacher
    from harness.datasets.temporal_order import TemporalOrder
    from harness.datasets.text_files import TextFiles
    from harness.objective import optuna_objective
    from harness.parameters import Hyperparameters
    from harness.signature import Signature
    from harness.spec import Budget, Study

__all__ = [
    "Adding",
    "Arrays",
    "Budget",
    "CategoricalDistribution",
    "CopyMemory",
    "Dataset",
    "Digits",
    "Dyck",
    "FloatDistribution",
    "Hyperparameters",
    "Imdb",
    "ImdbKeras",
    "IntDistribution",
    "ListOps",
    "ModularCounting",
    "NumberFiles",
    "Parity",
    "Signature",
    "SplitNumbers",
    "Study",
    "Teacher",
    "TemporalOrder",
    "TextFiles",
    "optuna_objective",
]

_HOMES = {
    "Adding": "harness.datasets.adding",
    "Arrays": "harness.datasets.base",
    "CopyMemory": "harness.datasets.copy_memory",
    "Dataset": "harness.datasets.base",
    "Digits": "harness.datasets.digits",
    "Hyperparameters": "harness.parameters",
    "NumberFiles": "harness.datasets.number_files",
    "Signature": "harness.signature",
    "SplitNumbers": "harness.datasets.split_numbers",
    "Budget": "harness.spec",
    "CategoricalDistribution": "optuna.distributions",
    "Dyck": "harness.datasets.dyck",
    "FloatDistribution": "optuna.distributions",
    "Imdb": "harness.datasets.imdb",
    "ImdbKeras": "harness.datasets.imdb_keras",
    "IntDistribution": "optuna.distributions",
    "ListOps": "harness.datasets.list_ops",
    "ModularCounting": "harness.datasets.modular_counting",
    "Parity": "harness.datasets.parity",
    "Study": "harness.spec",
    "Teacher": "harness.datasets.teacher",
    "TemporalOrder": "harness.datasets.temporal_order",
    "TextFiles": "harness.datasets.text_files",
    "optuna_objective": "harness.objective",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
