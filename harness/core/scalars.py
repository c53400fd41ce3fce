"""Single values of tables."""

from typing import Any


def missing(value: Any) -> bool:
    """None, NaN, pandas' NA."""
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def as_python(value: Any) -> Any:
    """A NumPy scalar as the Python value it stands for."""
    return value.item() if hasattr(value, "item") else value


def same(one: Any, other: Any) -> bool:
    """Whether plain values are equal: lists and tuples alike, 8 and 8.0 too, but not 1 and True."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
