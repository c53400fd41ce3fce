"""Datasets by name: one file for each dataset, found by its name and imported when it is used.

`imdb_keras.py` has the dataset `imdb-keras` as the class `ImdbKeras`; a new file next to it is a
new dataset. Nothing slow is imported here, because command lines list names first.
"""

import importlib
import os
import pkgutil
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UserError, unknown

if TYPE_CHECKING:
    from harness.datasets.adding import Adding as Adding
    from harness.datasets.base.dataset import Dataset as Dataset
    from harness.datasets.characters import Characters as Characters
    from harness.datasets.co2 import Co2 as Co2
    from harness.datasets.copy_memory import CopyMemory as CopyMemory
    from harness.datasets.digits import Digits as Digits
    from harness.datasets.dyck import Dyck as Dyck
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


def names() -> list[str]:
    """The names of all datasets, sorted; imports none of them."""
    modules = (module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg)
    return sorted(module.replace("_", "-") for module in modules)


def by_name(name: str, **options: Any) -> "Dataset":
    """The dataset `name` with `options`: its sizes and other fields.

    An option that is None means the dataset's default, so that a command line can pass on all its
    options. Raises UserError for an unknown name or option.
    """
    if name not in names():
        raise unknown("dataset", name, names())
    kind = _class_of(name)
    given = {option: value for option, value in options.items() if value is not None}
    accepted = [field.name for field in fields(kind) if field.init]
    for option in given:
        if option not in accepted:
            raise UserError(f"dataset {name} takes no {option}; it takes {', '.join(accepted)}")
    return kind(**given)


def is_path(name: str) -> bool:
    """Whether a name is that of a file or folder, and not one of `names`."""
    file = Path(name)
    if name in names():
        return False
    # os.path, because Path.exists raises an error for a name that is too long.
    return len(file.parts) > 1 or bool(file.suffix) or os.path.exists(name)


def _class_of(name: str) -> "type[Dataset]":
    module = importlib.import_module(f"{__name__}.{name.replace('-', '_')}")
    kind: type[Dataset] = getattr(module, _class_name(name))
    return kind


def _class_name(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))


def __getattr__(attribute: str) -> Any:
    """`harness.datasets.Imdb` and the other classes, imported on first use."""
    if attribute == "Dataset":
        return importlib.import_module(f"{__name__}.base.dataset").Dataset
    for name in names():
        if _class_name(name) == attribute:
            return _class_of(name)
    raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
