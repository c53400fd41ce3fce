"""How deep should an RNN be? Fair studies of recurrent depth, and what each depth costs.

What study files import is here, `run`, which runs a study, and `load`, which reads its results.
Each name is loaded on its first use, so that `import harness` itself is instant.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from optuna.distributions import CategoricalDistribution as CategoricalDistribution
    from optuna.distributions import FloatDistribution as FloatDistribution
    from optuna.distributions import IntDistribution as IntDistribution

    from harness.analysis.loaded import load as load
    from harness.datasets.adding import Adding as Adding
    from harness.datasets.base.dataset import Arrays as Arrays
    from harness.datasets.base.dataset import Dataset as Dataset
    from harness.datasets.base.forecast import Forecast as Forecast
    from harness.datasets.base.signature import Signature as Signature
    from harness.datasets.base.split_sequences import SplitNumbers as SplitNumbers
    from harness.datasets.characters import Characters as Characters
    from harness.datasets.co2 import Co2 as Co2
    from harness.datasets.copy_memory import CopyMemory as CopyMemory
    from harness.datasets.digits import Digits as Digits
    from harness.datasets.dyck import Dyck as Dyck
    from harness.datasets.files.characters import CharacterFiles as CharacterFiles
    from harness.datasets.files.forecasts import ForecastFiles as ForecastFiles
    from harness.datasets.files.sequences import NumberFiles as NumberFiles
    from harness.datasets.files.tags import TagFiles as TagFiles
    from harness.datasets.files.texts import TextFiles as TextFiles
    from harness.datasets.imdb import Imdb as Imdb
    from harness.datasets.imdb_keras import ImdbKeras as ImdbKeras
    from harness.datasets.list_ops import ListOps as ListOps
    from harness.datasets.mnist1d import Mnist1d as Mnist1d
    from harness.datasets.modular_counting import ModularCounting as ModularCounting
    from harness.datasets.parity import Parity as Parity
    from harness.datasets.speech import Speech as Speech
    from harness.datasets.teacher import Teacher as Teacher
    from harness.datasets.temporal_order import TemporalOrder as TemporalOrder
    from harness.datasets.translation import Translation as Translation
    from harness.datasets.two_waves import TwoWaves as TwoWaves
    from harness.integrations.optuna import optuna_objective as optuna_objective
    from harness.spec.conditions import UnitsByLayer as UnitsByLayer
    from harness.spec.conditions import When as When
    from harness.spec.grids import four_per_octave as four_per_octave
    from harness.spec.hyperparameters import Hyperparameters as Hyperparameters
    from harness.spec.study import Budget as Budget
    from harness.spec.study import Study as Study
    from harness.study.from_python import run as run

# The public names, each with the module that defines it. Type checkers read the imports above.
_HOMES = {
    "Adding": "harness.datasets.adding",
    "Arrays": "harness.datasets.base.dataset",
    "Budget": "harness.spec.study",
    "CategoricalDistribution": "optuna.distributions",
    "CharacterFiles": "harness.datasets.files.characters",
    "Characters": "harness.datasets.characters",
    "Co2": "harness.datasets.co2",
    "CopyMemory": "harness.datasets.copy_memory",
    "Dataset": "harness.datasets.base.dataset",
    "Digits": "harness.datasets.digits",
    "Dyck": "harness.datasets.dyck",
    "FloatDistribution": "optuna.distributions",
    "Forecast": "harness.datasets.base.forecast",
    "ForecastFiles": "harness.datasets.files.forecasts",
    "Hyperparameters": "harness.spec.hyperparameters",
    "Imdb": "harness.datasets.imdb",
    "ImdbKeras": "harness.datasets.imdb_keras",
    "IntDistribution": "optuna.distributions",
    "ListOps": "harness.datasets.list_ops",
    "Mnist1d": "harness.datasets.mnist1d",
    "ModularCounting": "harness.datasets.modular_counting",
    "NumberFiles": "harness.datasets.files.sequences",
    "Parity": "harness.datasets.parity",
    "Signature": "harness.datasets.base.signature",
    "Speech": "harness.datasets.speech",
    "SplitNumbers": "harness.datasets.base.split_sequences",
    "Study": "harness.spec.study",
    "Teacher": "harness.datasets.teacher",
    "TemporalOrder": "harness.datasets.temporal_order",
    "Translation": "harness.datasets.translation",
    "TwoWaves": "harness.datasets.two_waves",
    "TagFiles": "harness.datasets.files.tags",
    "UnitsByLayer": "harness.spec.conditions",
    "TextFiles": "harness.datasets.files.texts",
    "When": "harness.spec.conditions",
    "four_per_octave": "harness.spec.grids",
    "load": "harness.analysis.loaded",
    "optuna_objective": "harness.integrations.optuna",
    "run": "harness.study.from_python",
}
__all__ = sorted([*_HOMES, "__version__"])


def __dir__() -> list[str]:
    return [*__all__, "__doc__", "__name__"]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("rnn-depth-harness")
    if name not in _HOMES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
