"""Checks that JSON from a file has the types that its readers rely on.

A shape is a type, a tuple of types, `[shape]` for a list, or a mapping from keys to shapes. A key
that ends with `?` may be missing or null. The key `*` stands for all other keys.
"""

from collections.abc import Mapping
from typing import Any

NUMBER = (int, float)
INT64 = 2**63  # tables hold no larger integers


def mismatch(value: Any, shape: Any, where: str = "it") -> str | None:
    """What does not have the shape, in words; None where all of it does."""
    if isinstance(shape, Mapping):
        return _of_object(value, shape, where)
    if isinstance(shape, list):
        if not isinstance(value, list):
            return f"{where} is not a list"
        found = (mismatch(each, shape[0], f"{where}[{i}]") for i, each in enumerate(value))
        return next(filter(None, found), None)
    types = shape if isinstance(shape, tuple) else (shape,)
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        return f"{where} is not {' or '.join(_WORDS[each] for each in types)}"
    if isinstance(value, int) and not -INT64 <= value < INT64:
        return f"{where} is too large"
    return None


def _of_object(value: Any, shape: Mapping[str, Any], where: str) -> str | None:
    if not isinstance(value, dict):
        return f"{where} is not an object"
    for key, of_key in shape.items():
        name = key.rstrip("?")
        if key != "*" and value.get(name) is None:
            if not key.endswith("?"):
                return f"{name} is missing"
            continue
        items = (
            {name: value[name]}
            if key != "*"
            else {other: each for other, each in value.items() if other not in shape}
        )
        for each, found in items.items():
            if (wrong := mismatch(found, of_key, each)) is not None:
                return wrong
    return None


_WORDS = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false",
    dict: "an object", list: "a list", type(None): "null",
}  # fmt: skip
