"""A forecast from a table: which columns, gaps, missing values, panels; every bad input a line."""

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from forecast_testing import changed, saved, table

from harness import ForecastFiles
from harness.core.errors import UserError
from harness.datasets.files.forecasts import newer, split_names


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def of(folder: Path, frame: pd.DataFrame, name: str = "sales.csv", **choices: Any) -> ForecastFiles:
    given = {"time_column": "date", "targets": "units", "horizon": 7, **choices}
    return ForecastFiles.of(saved(folder, frame, name), **given)


def test_other_columns_of_numbers_are_inputs(tmp_path: Path) -> None:
    dataset = of(tmp_path, table().assign(note="a"))
    assert (dataset.targets, dataset.inputs) == (("units",), ("price", "holiday"))
    assert dataset.signature.outputs == 7
    told = dataset.contents(print).to_mapping()
    assert told["channels"] == ["units", "price", "holiday"]
    assert "columns that are not numbers are not read: note" in told["notes"]
    again = pickle.loads(pickle.dumps(dataset))
    assert again == dataset
    assert again.fingerprint() == dataset.fingerprint()
    assert of(tmp_path, table(), inputs=()).features == 1
    assert of(tmp_path, table(), inputs="price").inputs == ("price",)


@pytest.mark.parametrize("name", ["sales.tsv", "sales.jsonl", "sales.parquet"])
def test_every_kind_of_file_is_the_same_data(name: str, tmp_path: Path) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    found = [of(tmp_path, table(), each) for each in ("sales.csv", name)]
    assert found[0].fingerprint() == found[1].fingerprint()


def test_rows_are_sorted_by_time(tmp_path: Path) -> None:
    plain = of(tmp_path, table())
    mixed = of(tmp_path, table().sample(frac=1, random_state=1), "mixed.csv")
    assert mixed.fingerprint() == plain.fingerprint()
    assert "rows are not in order of time: they are sorted" in mixed.contents(print).notes


def test_times_that_are_missing_are_refused_filled_or_ignored(tmp_path: Path) -> None:
    frame = table().drop(index=[50, 51, 90])
    with pytest.raises(
        UserError,
        match=r"3 times are missing at steps of 1 day: the first is 2020-02-20, after row 50",
    ):
        of(tmp_path, frame)
    filled = of(tmp_path, frame, gaps="fill").series()
    assert len(filled) == 400
    assert np.flatnonzero(filled.filled).tolist() == [50, 51, 90]
    units = filled.values[:, 0]
    assert units[50] == pytest.approx(units[49] + (units[52] - units[49]) / 3)
    ignored = of(tmp_path, frame, gaps="ignore").series()
    assert len(ignored) == 397
    assert not ignored.filled.any()
    with pytest.raises(UserError, match="--gaps mend: not one of error, fill, ignore"):
        of(tmp_path, frame, gaps="mend")


def test_a_time_off_the_steps(tmp_path: Path) -> None:
    frame = changed(table(), "date", {30: "2020-01-31 05:00"})
    with pytest.raises(
        UserError, match="row 31: 2020-01-31T05:00:00 is not a whole number of steps"
    ):
        of(tmp_path, frame)
    assert len(of(tmp_path, frame, gaps="ignore").series()) == 400
    with pytest.raises(UserError, match="is not a whole number of steps of 2 days"):
        of(tmp_path, table(), frequency="2D")
    far = changed(table(rows=100, date=np.arange(100)), "date", {99: 1e12})
    with pytest.raises(UserError, match="is not a whole number of steps of 1 "):
        of(tmp_path, far)


def test_missing_values_are_refused_filled_or_left_out(tmp_path: Path) -> None:
    frame = changed(table(), "price", {40: None, 41: None})
    with pytest.raises(
        UserError, match=r"row 41 has no value in column 'price' \(2 values are missing in all\)"
    ):
        of(tmp_path, frame)
    filled = of(tmp_path, frame, missing="interpolate")
    assert np.flatnonzero(filled.series().filled).tolist() == [40, 41]
    assert "2 missing values filled by interpolation" in filled.contents(print).notes
    dropped = of(tmp_path, frame, missing="drop")
    assert len(dropped.series()) == 398
    assert dropped.contents(print).to_mapping()["left_out"] == {"rows with missing values": 2}
    with pytest.raises(UserError, match="--missing guess: not one of error, interpolate, drop"):
        of(tmp_path, frame, missing="guess")
    with pytest.raises(UserError, match="column 'price' has no values"):
        of(tmp_path, table(price=[None] * 400), inputs="price", missing="interpolate")


def test_rows_at_the_end_that_only_know_the_future_are_left_out(tmp_path: Path) -> None:
    frame = changed(table(), "units", dict.fromkeys(range(393, 400)))
    dataset = of(tmp_path, frame, known="holiday", inputs=())
    assert dataset.contents(print).to_mapping()["left_out"] == {
        "rows at the end without a target": 7
    }
    series = newer(dataset.path, dataset.facts())
    assert len(series) == 400
    assert np.isnan(series.values[-1, 0])


def test_a_panel_is_split_at_the_same_times_for_all_series(tmp_path: Path) -> None:
    shops = [table(rows).assign(shop=name) for name, rows in (("a", 400), ("b", 380), ("c", 400))]
    shops[1]["date"] = table()["date"].to_numpy()[20:]  # it begins later
    frame = pd.concat(shops)
    with pytest.raises(UserError, match=r"have the same time 2020-01-01.*--series-column"):
        of(tmp_path, frame)
    dataset = of(tmp_path, frame, series_column="shop", lookback=14)
    assert dataset.series().members == ("a", "b", "c")
    splits = {s: dataset.load(s, sequence_length=14, vocabulary=4) for s in ("train", "test")}
    assert len(splits["test"]) == 3 * dataset.test
    assert len(splits["train"]) < 3 * dataset.train
    for member in range(3):
        ours = splits["test"].moments[splits["test"].members == member]
        assert len(ours) == dataset.test
    # No window goes over the end of a series.
    single = of(tmp_path, shops[2].drop(columns="shop"), "one.csv", lookback=14)
    mean, std = (dataset.scaling()[name][0] for name in ("x_mean", "x_std"))
    of_c = splits["test"].x[splits["test"].members == 2][..., 0] * std + mean
    alone = single.load("test", sequence_length=14, vocabulary=4)
    plain = alone.x[..., 0] * single.scaling()["x_std"][0] + single.scaling()["x_mean"][0]
    np.testing.assert_allclose(of_c[-len(plain) :], plain, rtol=1e-4)
    assert dataset.times("test").shape == (dataset.test, 7)


@pytest.mark.parametrize(
    ("frame", "choices", "complaint"),
    [
        (changed(table(), "date", {16: "soon"}), {}, "row 17: 'soon' in column 'date' is not"),
        (changed(table(), "units", {20: "many"}), {}, "row 21: 'many' in column 'units' is not a"),
        (changed(table(), "units", {30: "inf"}), {}, "row 31: inf in column 'units' is infinite"),
        (table(units=[3] * 400), {}, "target 'units' is 3; there is nothing to forecast"),
        (table(40), {}, "40 rows are too few: 53 are needed"),
        (table(60), {"horizon": 30}, "60 rows are too few: 122 are needed"),
        (pd.concat([table(), table()[5:7]]), {}, "rows 6 and 401 have the same time 2020-01-06"),
        (table(), {"horizon": 0}, "--horizon 0"),
        (table(), {"targets": ("units", "units")}, "column 'units' is named twice"),
        (table(), {"known": ("units",)}, "column 'units' is named twice"),
        (table(), {"targets": "unit"}, "has no column 'unit'; it has date, units, price, holiday"),
        (table(), {"time_column": "day"}, "has no column 'day'.*--time-column"),
        (table(), {"known": "weather"}, "has no column 'weather'.*--known-columns"),
        (table(), {"inputs": "weather"}, "has no column 'weather'.*--input-columns"),
        (table(), {"series_column": "shop"}, "has no column 'shop'.*--series-column"),
        (table(), {"targets": ()}, "--target-column: name the column to forecast"),
        (table(), {"frequency": "often"}, "--frequency often: not a step of time"),
        (table(0), {}, "has no rows"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(
    frame: pd.DataFrame, choices: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=complaint) as refused:
        of(tmp_path, frame, **choices)
    assert "\n" not in str(refused.value)


def test_as_many_rows_as_are_needed_are_enough(tmp_path: Path) -> None:
    assert of(tmp_path, table(53)).lookback == 1
    assert of(tmp_path, table(122), horizon=30).lookback == 1


def test_other_files_and_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="files of this kind are not read as tables over time"):
        ForecastFiles.of(tmp_path / "a.xlsx", time_column="date", targets="units")
    with pytest.raises(UserError, match="no such file"):
        ForecastFiles.of(tmp_path / "a.csv", time_column="date", targets="units")
    with pytest.raises(UserError, match="dataset forecast-files: name the file itself"):
        ForecastFiles()
    with pytest.raises(TypeError, match="unexpected keyword argument 'horizont'"):
        of(tmp_path, table(), horizont=3)


def test_a_table_that_changes_while_it_is_used(tmp_path: Path) -> None:
    dataset = of(tmp_path, table())
    saved(tmp_path, table(390))
    of(tmp_path, table(390))  # forgets what was read
    with pytest.raises(UserError, match="has changed while it was in use"):
        dataset.series()


def test_names_with_commas_between() -> None:
    assert split_names(["a, b", "c"]) == ("a", "b", "c")
    assert split_names(None) == ()
