"""Values as texts that differ where the values do: numbers, texts, arrays, and what holds them."""

import array
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from harness.spec import own_modules


def value_text(value: Any, file: Path | None) -> str | None:
    """The value as text; None for what is neither data nor holds any.

    Of a class of the user's own it is the data in its attributes. Paths are left out, and the
    folder of `file` is cut from texts: a folder may move with all that is in it.
    """
    try:
        return _text(value, file)
    except Exception:  # too deep, or an object that fails when it is looked at
        return None


def _text(value: Any, file: Path | None) -> str | None:
    if isinstance(value, str):
        return repr(value if file is None else value.replace(str(file.parent), ""))
    if value is None or isinstance(value, bool | int | float | complex | bytes):
        return repr(value)
    if isinstance(value, bytearray | array.array):
        return repr(bytes(value))
    if isinstance(value, Mapping):
        return _joined([part for item in value.items() for part in item], file)
    if isinstance(value, set | frozenset):
        return _joined(sorted(value, key=repr), file)
    if isinstance(value, list | tuple):
        return _joined(value, file)
    if isinstance(value, type):
        if not own_modules.is_own_module(value.__module__):
            return None
        data = {k: v for k, v in sorted(vars(value).items()) if not k.startswith("__")}
        return _text(data, file)
    if is_dataclass(value):
        return _joined([getattr(value, each.name) for each in fields(value)], file)
    if isinstance(value, SimpleNamespace):
        return _text(vars(value), file)
    if hasattr(value, "__array__"):  # also tables of pandas and tensors
        return _array_text(np.asarray(value), file)
    return None


def _array_text(value: np.ndarray[Any, Any], file: Path | None) -> str | None:
    if value.dtype.hasobject:
        return _text(value.tolist(), file)
    digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
    return f"{value.dtype.str} {value.shape} {digest}"


def _joined(values: Iterable[Any], file: Path | None) -> str:
    return "[" + ", ".join(_text(each, file) or "-" for each in values) + "]"
