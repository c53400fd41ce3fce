"""Times in the ways that people write them, and the first row that has none."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.core.errors import UserError
from harness.datasets.files import times
from harness.datasets.files.tables import Table

DAYS = pd.date_range("2024-01-05", periods=40)


def parsed(values: list[object]) -> times.Times:
    return times.parsed(Table(Path("t.csv"), pd.DataFrame({"date": values})), "date")


@pytest.mark.parametrize(
    "written",
    ["%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y", "%b %d, %Y", "%d %B %Y",
     "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%m/%d/%y"],
)  # fmt: skip
def test_common_formats(written: str) -> None:
    found = parsed(DAYS.strftime(written).tolist())
    np.testing.assert_array_equal(found.values, DAYS.to_numpy().astype("datetime64[us]"))


def test_the_order_of_day_and_month_is_the_regular_one() -> None:
    months = pd.date_range("2020-01-01", periods=24, freq="MS")
    found = parsed(months.strftime("%d/%m/%Y").tolist())
    np.testing.assert_array_equal(found.values, months.to_numpy().astype("datetime64[us]"))
    assert "the day first" in found.notes[0]
    twelve = pd.date_range("2024-03-01", periods=12)
    found = parsed(twelve.strftime("%m/%d/%Y").tolist())
    np.testing.assert_array_equal(found.values, twelve.to_numpy().astype("datetime64[us]"))
    assert "the month first" in found.notes[0]


def test_months_quarters_weeks_and_zones() -> None:
    assert parsed(["2024-01", "2024-02"]).values.astype(str)[1].startswith("2024-02-01")
    assert parsed(["202401", "202402"]).values.astype(str)[1].startswith("2024-02-01")
    assert parsed(["2024-Q1", "2024Q2"]).values.astype(str)[1].startswith("2024-04-01")
    assert parsed(["2024-W01", "2024-W02"]).values.astype(str)[1].startswith("2024-01-08")
    zoned = parsed(["2024-01-01T00:00:00+02:00", "2024-01-01T01:00:00+02:00"])
    assert zoned.values.astype(str)[0].startswith("2023-12-31T22")
    assert zoned.notes == ("times with a zone are read as UTC",)


def test_numbers_stay_numbers() -> None:
    assert parsed([0.0, 0.5, 1.0]).values.tolist() == [0.0, 0.5, 1.0]
    assert parsed(["1990", "1991"]).values.tolist() == [1990.0, 1991.0]
    assert parsed([1_700_000_000, 1_700_003_600]).values.dtype == np.float64


@pytest.mark.parametrize(
    ("values", "row", "what"),
    [
        (["2024-01-01", "soon", "2024-01-03"], 2, "'soon' in column 'date' is not a time"),
        (["2024-01-01", "2024-02-30"], 2, "'2024-02-30' in column 'date' is not a time"),
        (["a", "b"], 1, "'a' in column 'date' is not a time"),
        (["2024-01-01", None], 2, "no time in column 'date'"),
        (["2024-01-01", " "], 2, "no time in column 'date'"),
        ([1.0, float("inf")], 2, "is not a time"),
        ([True, False], 1, "is not a time"),
    ],
)
def test_the_first_bad_row_is_named(values: list[object], row: int, what: str) -> None:
    with pytest.raises(UserError, match=rf"t\.csv: row {row}.*{what}.*--time-column"):
        parsed(values)
