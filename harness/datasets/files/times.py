"""From a column to times: ISO, the common ways to write dates, or numbers."""

import math
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.files.tables import Table

if TYPE_CHECKING:
    import pandas as pd

_QUARTER = r"\d{4}[- ]?Q[1-4]"
_WEEK = r"\d{4}-?W\d{2}"
_YEARS = (1800, 2200)  # of whole numbers that may be dates, as 20240131
_WAYS: tuple[dict[str, Any], ...] = ({"format": "ISO8601"}, {}, {"dayfirst": True})


@dataclass(frozen=True)
class Times:
    """A time for each row, datetime64[us] or float64, and sentences about how they were read."""

    values: NDArray[Any]
    notes: tuple[str, ...] = ()


def parsed(table: Table, name: str) -> Times:
    """The times of a table's column; raises UserError with the first row that has none."""
    import pandas as pd

    column = table.frame[name]
    empty = column.isna().to_numpy()
    if not empty.any() and not pd.api.types.is_numeric_dtype(column.dtype):
        empty = (column.astype("str").str.strip() == "").to_numpy()
    if empty.any():
        raise UserError(
            f"{table.path}: row {int(empty.argmax()) + 1:,} has no time in column {cut(name)!r}; "
            "remove such rows, or name another --time-column"
        )
    if isinstance(column.dtype, pd.DatetimeTZDtype) or column.dtype.kind == "M":
        return _plain(pd.to_datetime(column, utc=True), column)
    if pd.api.types.is_bool_dtype(column.dtype):
        raise _unread(table, name, 0)
    text = column.astype("str").str.strip()
    numbers = pd.to_numeric(text, errors="coerce").to_numpy(np.float64)
    if np.isfinite(numbers).all():
        return _of_numbers(text, numbers)
    if np.isinf(numbers).any():
        raise _unread(table, name, int(np.isinf(numbers).argmax()))
    if text.str.fullmatch(_QUARTER).all():
        quarters = pd.PeriodIndex(text.str.replace(r"[- ]", "", regex=True), freq="Q")
        return Times(quarters.to_timestamp().to_numpy().astype("datetime64[us]"))
    if text.str.fullmatch(_WEEK).all():
        weeks = text.str.replace("-", "") + "1"
        return Times(pd.to_datetime(weeks, format="%GW%V%u").to_numpy().astype("datetime64[us]"))
    return _of_texts(table, name, text)


def _of_numbers(text: "pd.Series[str]", numbers: NDArray[np.float64]) -> Times:
    """Numbers are times as they are; but 20240131 and 202401 are dates where all can be."""
    import pandas as pd

    for pattern, written in ((r"\d{8}", "%Y%m%d"), (r"\d{6}", "%Y%m")):
        if text.str.fullmatch(pattern).all():
            found = pd.to_datetime(text, format=written, errors="coerce")
            if found.notna().all() and found.dt.year.between(*_YEARS).all():
                return Times(
                    found.to_numpy().astype("datetime64[us]"),
                    (f"times such as {text.iloc[0]} are read as dates",),
                )
    return Times(numbers)


def _of_texts(table: Table, name: str, text: "pd.Series[str]") -> Times:
    tried = [(way, _tried(text, way)) for way in _WAYS]
    whole = [(way, found) for way, found in tried if found is not None and found.notna().all()]
    if not whole:
        best = min(
            (found.isna().to_numpy() for _, found in tried if found is not None),
            key=np.count_nonzero,
            default=np.ones(len(text), bool),
        )
        raise _unread(table, name, int(best.argmax()))
    way, found = whole[0]
    notes: tuple[str, ...] = ()
    if way != _WAYS[0] and len(whole) > 1 and not whole[0][1].equals(whole[1][1]):
        # 01/02/2024: the order in which the times are more regular.
        way, found = min(whole, key=lambda each: _irregular(each[1]))
        order = "the day" if way.get("dayfirst") else "the month"
        notes = (f"times such as {cut(text.iloc[0])} are read with {order} first",)
    read = _plain(found, text)
    return Times(read.values, (*notes, *read.notes))


def _tried(text: "pd.Series[str]", way: dict[str, Any]) -> "pd.Series[Any] | None":
    """The times, missing where one can't be read; None where nothing can."""
    import pandas as pd

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the order of day and month is a guess
        try:
            found: pd.Series[Any] = pd.to_datetime(text, errors="coerce", utc=True, **way)
        except (ValueError, OverflowError):
            return None
    return found


def _irregular(times: "pd.Series[Any]") -> float:
    """How much longer the longest step between times in order is than most."""
    steps = times.sort_values().diff().dropna()
    return float(steps.max() / steps.median()) if len(steps) and steps.median() else math.inf


def _plain(times: Any, source: Any) -> Times:
    """Times without a zone; those that had one are in UTC."""
    import pandas as pd

    aware = isinstance(source.dtype, pd.DatetimeTZDtype)
    if not aware and source.dtype.kind != "M":
        aware = bool(re.search(r"(?:[+-]\d\d:?\d\d|Z)$", str(source.iloc[0])))
    values = times.dt.tz_localize(None).to_numpy().astype("datetime64[us]")
    return Times(values, ("times with a zone are read as UTC",) if aware else ())


def _unread(table: Table, name: str, row: int) -> UserError:
    return UserError(
        f"{table.path}: row {row + 1:,}: {cut(str(table.frame[name].iloc[row]))!r} in column "
        f"{cut(name)!r} is not a time; write for example 2024-01-31, or name another --time-column"
    )
