"""Forecasts of several series and of numbered times as CSV, without a trained network."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from forecast_testing import saved, table

from harness import ForecastFiles
from harness.commands import forecast
from harness.core.errors import UserError


class Last:
    """Forecasts the last value of the first channel, scaled as it is read."""

    def __init__(self, horizon: int) -> None:
        self.horizon = horizon

    def predict(self, x: Any, verbose: int) -> Any:
        return np.repeat(x[:, -1, :1], self.horizon, axis=1)


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def written(
    monkeypatch: pytest.MonkeyPatch, folder: Path, dataset: ForecastFiles, newer: Path
) -> list[str]:
    """The lines that are written for a newer table."""
    monkeypatch.setattr(forecast, "load_model", lambda folder: Last(dataset.horizon))
    params = {
        "hyperparameters": {"sequence_length": 10},
        "scaling": dataset.scaling(),
        "forecast": dataset.facts(),
    }
    output = folder / "out.csv"
    forecast.write("shops", folder, params, newer, output)
    return output.read_text().splitlines()


def test_a_panel_has_the_steps_of_each_series(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def shops(rows: int) -> pd.DataFrame:
        one, two = table(rows), table(rows).assign(units=table(rows)["units"] * 2)
        return pd.concat([two.assign(shop="b"), one.assign(shop="a")])

    dataset = ForecastFiles.of(
        saved(tmp_path, shops(300)), time_column="date", targets="units", horizon=2,
        series_column="shop", lookback=10,
    )  # fmt: skip
    lines = written(monkeypatch, tmp_path, dataset, saved(tmp_path, shops(310), "newer.csv"))
    last = table(310)["units"].iloc[-1]
    assert lines[0] == "date,shop,forecast"
    rows = [line.split(",") for line in lines[1:]]
    assert [row[:2] for row in rows] == [
        ["2020-11-06", "a"], ["2020-11-07", "a"], ["2020-11-06", "b"], ["2020-11-07", "b"],
    ]  # fmt: skip
    values = [float(row[2]) for row in rows]
    np.testing.assert_allclose(values, [last, last, 2 * last, 2 * last], rtol=1e-5)


def test_numbered_times_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    frame = table(300, date=np.arange(300) * 0.5)
    dataset = ForecastFiles.of(
        saved(tmp_path, frame), time_column="date", targets="units", horizon=3, lookback=10
    )
    lines = written(monkeypatch, tmp_path, dataset, saved(tmp_path, frame, "newer.csv"))
    assert [line.split(",")[0] for line in lines] == ["date", "150", "150.5", "151"]


def test_values_that_are_missing_in_the_newer_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dataset = ForecastFiles.of(
        saved(tmp_path, table(300)), time_column="date", targets="units", lookback=10
    )
    gap = saved(tmp_path, table(300).drop(index=[250]), "newer.csv")
    with pytest.raises(UserError, match="1 time is missing at steps of 1 day"):
        written(monkeypatch, tmp_path, dataset, gap)


def test_where_the_forecasts_can_not_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = saved(tmp_path, table(300))
    dataset = ForecastFiles.of(file, time_column="date", targets="units", lookback=10)
    (tmp_path / "out.csv").mkdir()
    with pytest.raises(UserError, match="can't be written"):
        written(monkeypatch, tmp_path, dataset, file)


def test_data_that_are_no_table_are_not_forecast(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="its data are no table of yours"):
        forecast.write("co2", tmp_path, {"forecast": {"targets": ["co2"]}}, None, None)
