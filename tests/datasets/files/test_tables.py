"""Tables are read as columns, and what is wrong with one is a line that names the place."""

from pathlib import Path

import numpy as np
import pytest
from forecast_testing import changed, saved, table

from harness.core.errors import UserError
from harness.datasets.files import tables


def read(path: Path, encoding: str | None = None) -> tables.Table:
    return tables.read(path, path.read_bytes(), encoding, ["date"])


@pytest.mark.parametrize("name", ["sales.csv", "sales.tsv", "sales.jsonl", "sales.parquet"])
def test_every_kind_has_the_same_columns(name: str, tmp_path: Path) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    found = read(saved(tmp_path, table(30), name))
    assert found.names == ["date", "units", "price", "holiday"]
    np.testing.assert_allclose(found.numbers("units", "--x"), table(30)["units"])
    assert found.frame["date"].iloc[0] == "2020-01-01"
    assert not found.is_numeric("date")


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    found = read(saved(tmp_path, table(30), sep=";", decimal=","))
    np.testing.assert_allclose(found.numbers("units", "--x"), table(30)["units"])
    assert found.notes == ("cells are separated by semicolons", "numbers have decimal commas")


def test_true_and_false_are_numbers(tmp_path: Path) -> None:
    found = read(saved(tmp_path, table(20, holiday=[True, False] * 10)))
    assert found.is_numeric("holiday")
    assert found.numbers("holiday", "--x")[:2].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b""])
def test_byte_order_marks_and_blanks_are_not_part_of_names(mark: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_bytes(mark + b" date , units \n\n2020-01-01,1\n2020-01-02,2\n")
    assert read(path).names == ["date", "units"]
    assert read(path).numbers("units", "--x").tolist() == [1, 2]


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    for name, text in (
        ("a.csv", "date,units,units\n2020-01-01,1,2\n"),
        ("a.jsonl", '{"date": "2020-01-01", "units": 1, "units": 2}\n'),
    ):
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(UserError, match="has several columns 'units'; rename all but one"):
            read(path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "has no heading"),
        ("date,units\n2020-01-01,1,7\n", "not a table that can be read"),
        ("date,units\n2020-01-01,1\n2020-01-02,2,3\n", "not a table that can be read"),
        ('date,units\n2020-01-01,"1\n', "not a table that can be read"),
    ],
)
def test_damaged_tables(text: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text(text)
    with pytest.raises(UserError, match=complaint):
        read(path)


def test_damaged_json_lines_and_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="reading Parquet needs pyarrow")
    for name, text, complaint in (
        ("a.jsonl", '{"a": 1}\n[1]\n', "line 2 is not a JSON object"),
        ("b.jsonl", '{"a": 1}\n{"a"\n', "line 2 is not JSON"),
        ("c.parquet", "PAR1 no", "not a Parquet file that can be read"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(UserError, match=complaint):
            read(tmp_path / name)


def test_what_is_no_number_is_named_with_its_row(tmp_path: Path) -> None:
    found = read(saved(tmp_path, changed(table(30), "units", {20: "many"})))
    with pytest.raises(UserError, match=r"row 21: 'many' in column 'units' is not a number.*--x"):
        found.numbers("units", "--x")
    for value in ("inf", "-inf", "1e200"):
        found = read(saved(tmp_path, changed(table(30), "units", {7: value})))
        with pytest.raises(
            UserError, match=r"row 8: .* in column 'units' is infinite or too large"
        ):
            found.numbers("units", "--x")


def test_long_names_are_cut(tmp_path: Path) -> None:
    found = read(saved(tmp_path, table(10).rename(columns={"price": "p" * 500})))
    with pytest.raises(UserError) as refused:
        found.check("amount", "--target-column")
    assert len(str(refused.value)) < 400
