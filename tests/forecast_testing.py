"""Tables over time for tests of forecasts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from harness.datasets.base.forecast import Forecast
from harness.datasets.base.frequency import Frequency
from harness.datasets.base.series import Series

ROWS = 400


@dataclass(frozen=True, kw_only=True)
class Counting(Forecast):
    """Row t has the values t and 10 t + 5, so that a test sees which rows were taken."""

    targets: tuple[str, ...] = ("t",)
    inputs: tuple[str, ...] = ("ten",)
    lookback: int = 20
    horizon: int = 3
    name = "counting"

    def series(self) -> Series:
        return COUNTING


def _counting() -> Series:
    t = np.arange(ROWS)
    return Series.single(
        {"t": t, "ten": 10 * t + 5, "flag": t % 4},
        np.datetime64("2020-01-01", "us") + t * np.timedelta64(1, "D"),
        Frequency("D"),
    )


COUNTING = _counting()


def table(rows: int = ROWS, **columns: Sequence[Any]) -> pd.DataFrame:
    """Days from 2020 with units (a season of a week), prices and a flag; `columns` replace them."""
    random = np.random.default_rng(0)
    t = np.arange(rows)
    made: dict[str, Any] = {
        "date": pd.date_range("2020-01-01", periods=rows).strftime("%Y-%m-%d"),
        "units": (50 + 10 * np.sin(2 * np.pi * t / 7) + random.normal(0, 1, rows)).round(4),
        "price": random.normal(10, 1, rows).round(4),
        "holiday": (t % 7 == 3).astype(int),
    }
    return pd.DataFrame({**made, **columns})


def saved(folder: Path, frame: pd.DataFrame, name: str = "sales.csv", **how: Any) -> Path:
    """The path of the table as a file of this kind."""
    path = folder / name
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    elif path.suffix == ".jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False, **{"sep": "\t" if path.suffix == ".tsv" else ",", **how})
    return path


def changed(frame: pd.DataFrame, column: str, cells: Mapping[int, Any]) -> pd.DataFrame:
    """The table with some cells of a column replaced, by row from 0."""
    values = frame[column].astype(object).to_numpy(copy=True)
    for row, value in cells.items():
        values[row] = value
    return frame.assign(**{column: values})
