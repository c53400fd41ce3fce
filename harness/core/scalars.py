"""Single values of tables."""

from typing import Any


def missing(value: Any) -> bool:
    """None, NaN, pandas' NA."""
    import pandas as pd

    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def as_python(value: Any) -> Any:
    """A NumPy scalar as the Python value it stands for."""
    return value.item() if hasattr(value, "item") else value
