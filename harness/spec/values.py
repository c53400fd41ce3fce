"""The values that a study declares, as plain Python: what files, databases and workers can keep."""

import enum
import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from harness.core.errors import UserError

PLAIN = "None, True, False, numbers, texts, or lists of them"


def plain(where: str, value: Any) -> Any:
    """The value as None, bool, int, float, str, or a tuple of such values.

    NumPy's numbers become Python's, and lists become tuples. Raises UserError, which begins with
    `where`, for anything else: files could not keep it, so that a study could not resume.
    """
    if isinstance(value, list | tuple):
        return tuple(plain(where, each) for each in value)
    if _of_numpy(value, "generic") or (_of_numpy(value, "ndarray") and value.ndim == 0):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    kind = next((each for each in (int, float, str) if isinstance(value, each)), None)
    if kind is None or isinstance(value, enum.Enum):
        raise UserError(f"{where}: {shown(value)} is of type {type(value).__name__}; write {PLAIN}")
    found = value if type(value) is kind else kind(value)
    if isinstance(found, float) and not math.isfinite(found):
        raise UserError(f"{where}: {found} is not a finite number")
    return found


def _of_numpy(value: Any, kind: str) -> bool:
    """Whether it is of this class of NumPy's, which is not imported for it."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, getattr(numpy, kind))


def plain_fixed(fixed: Any) -> dict[str, Any]:
    """`fixed` with plain values; raises UserError, which names the parameter."""
    return {name: plain(f"fixed: {name}", value) for name, value in items("fixed", fixed)}


def plain_compare(compare: Any) -> dict[str, Any]:
    """`compare` with lists of plain values; raises UserError, which names the parameter."""
    found = {}
    for name, values in items("compare", compare):
        if _of_numpy(values, "ndarray") and values.ndim == 1:
            values = list(values)
        if isinstance(values, str | bytes) or not isinstance(values, Sequence) or not values:
            raise UserError(f"compare: {name} needs a list of values, got {shown(values)}")
        found[name] = [plain(f"compare: {name}", value) for value in values]
    return found


def items(group: str, values: Any) -> list[tuple[str, Any]]:
    """The names and values of `compare`, `search` or `fixed`; raises UserError."""
    if not isinstance(values, Mapping):
        raise UserError(f"{group}: {shown(values)} is no dict of names and values")
    for name in values:
        if not isinstance(name, str):
            raise UserError(f"{group}: {shown(name)} is not a name; write it in quotes")
    return list(values.items())


def hashable(value: Any) -> Any:
    """Lists as tuples, at any depth."""
    return tuple(map(hashable, value)) if isinstance(value, list | tuple) else value


def shown(value: object) -> str:
    """The value on one line of at most 60 characters, for messages."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}…"
