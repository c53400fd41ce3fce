"""How deep should an RNN be? Fair studies of recurrent depth, and what each depth costs.

What study files import is here, loaded when asked for: `import harness` itself is instant.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    from harness.datasets.adding import Adding
    from harness.datasets.base.dataset import Arrays, Dataset
    from harness.datasets.base.signature import Signature
    from harness.datasets.base.split_sequences import SplitNumbers
    from harness.datasets.copy_memory import CopyMemory
    from harness.datasets.digits import Digits
    from harness.datasets.dyck import Dyck
    from harness.datasets.files.sequences import NumberFiles
    from harness.datasets.files.texts import TextFiles
    from harness.datasets.imdb import Imdb
    from harness.datasets.imdb_keras import ImdbKeras
    from harness.datasets.list_ops import ListOps
    from harness.datasets.modular_counting import ModularCounting
    from harness.datasets.parity import Parity
    from harness.datasets.teacher import Teacher
    from harness.datasets.temporal_order import TemporalOrder
    from harness.integrations.optuna import optuna_objective
    from harness.spec.hyperparameters import Hyperparameters
    from harness.spec.study import Budget, Study

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
    "Arrays": "harness.datasets.base.dataset",
    "CopyMemory": "harness.datasets.copy_memory",
    "Dataset": "harness.datasets.base.dataset",
    "Digits": "harness.datasets.digits",
    "Hyperparameters": "harness.spec.hyperparameters",
    "NumberFiles": "harness.datasets.files.sequences",
    "Signature": "harness.datasets.base.signature",
    "SplitNumbers": "harness.datasets.base.split_sequences",
    "Budget": "harness.spec.study",
    "CategoricalDistribution": "optuna.distributions",
    "Dyck": "harness.datasets.dyck",
    "FloatDistribution": "optuna.distributions",
    "Imdb": "harness.datasets.imdb",
    "ImdbKeras": "harness.datasets.imdb_keras",
    "IntDistribution": "optuna.distributions",
    "ListOps": "harness.datasets.list_ops",
    "ModularCounting": "harness.datasets.modular_counting",
    "Parity": "harness.datasets.parity",
    "Study": "harness.spec.study",
    "Teacher": "harness.datasets.teacher",
    "TemporalOrder": "harness.datasets.temporal_order",
    "TextFiles": "harness.datasets.files.texts",
    "optuna_objective": "harness.integrations.optuna",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
