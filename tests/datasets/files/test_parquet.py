"""Parquet: kinds of columns, and memory that a few bytes can't take."""

import datetime
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from harness.core.errors import UserError
from harness.datasets.files import parquet
from harness.datasets.files.rows import Rows, Source

pyarrow = pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
pq = pytest.importorskip("pyarrow.parquet")


def written(table: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def read(raw: bytes, **changes: Any) -> Rows:
    return parquet.read(Path("a.parquet"), raw, Source("a.parquet", **changes))


def table(**columns: Any) -> Any:
    return pyarrow.table({"text": ["a", "b"], "label": ["x", "y"], **columns})


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([True, False], [True, False]),
        ([1.0, 2.5], [1.0, 2.5]),
        ([Decimal("1.0"), Decimal("2.0")], ["1.0", "2.0"]),
        (pyarrow.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        ([b"x", b"y"], ["x", "y"]),
    ],
)
def test_kinds_of_labels(labels: Any, expected: list[object]) -> None:
    assert read(written(table(label=labels))).labels == expected


def test_lists_of_tokens_are_joined() -> None:
    found = read(written(table(text=[["a", "b"], ["c"]])))
    assert found.texts == ["a b", "c"]
    assert len(found.notes) == 1


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"text": [datetime.date(2020, 1, 1)] * 2}, "'text' is of date32[day], not texts"),
        ({"text": [1, 2]}, "'text' is of int64, not texts"),
        ({"text": [[1], [2]]}, "not texts"),
        ({"label": pyarrow.array([2**40] * 2, pyarrow.timestamp("s"))}, "not labels"),
        ({"label": [{"a": 1}] * 2}, "not labels"),
        ({"text": [["a", None], ["b"]]}, "row 1: the text is a list of other things"),
    ],
)
def test_other_columns_are_named(columns: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError) as told:
        read(written(table(**columns)))
    assert words in str(told.value)


def test_two_columns_of_one_name_are_refused() -> None:
    twice = pyarrow.Table.from_arrays([pyarrow.array(["a"])] * 3, names=["text", "text", "label"])
    with pytest.raises(UserError, match="several columns 'text'"):
        read(written(twice))


def test_text_that_is_not_utf_8_is_one_line() -> None:
    with pytest.raises(UserError, match="not a Parquet file that can be read"):
        read(written(table(text=[b"caf\xe9", b"b"])))
    with pytest.raises(UserError, match="say their encoding themselves"):
        read(written(table()), encoding="cp1252")


@pytest.mark.parametrize("encoding", ["dictionary", "DELTA_BYTE_ARRAY"])
def test_a_few_bytes_for_many_long_texts_take_little_memory(
    monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """20,000 rows of one text of 2,000 characters: 40 MB of text in some hundred bytes."""
    texts = pyarrow.DictionaryArray.from_arrays(np.zeros(20_000, "i4"), ["a" * 2000])
    many = pyarrow.table({"text": texts.dictionary_decode(), "label": np.arange(20_000) % 2})
    options: dict[str, Any] = {}
    if encoding != "dictionary":
        options = {"use_dictionary": False, "column_encoding": {"text": encoding}}
    raw = written(many, compression="zstd", **options)
    assert len(raw) < 200_000
    memory = psutil.virtual_memory()._replace(available=100_000_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    taken: list[int] = []
    add = Rows.add
    monkeypatch.setattr(Rows, "add", lambda self, *row: (taken.append(1), add(self, *row))[1])
    with pytest.raises(UserError, match="too large for the memory here"):
        read(raw)
    assert len(taken) * 2000 < 100_000_000 / 2


def test_the_number_of_rows_is_checked_before_they_are_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = written(pyarrow.table({"text": ["a"] * 9000, "label": [0, 1] * 4500}))
    memory = psutil.virtual_memory()._replace(available=100_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    monkeypatch.setattr(Rows, "add", lambda self, *row: pytest.fail("a row was read"))
    with pytest.raises(UserError, match="too large for the memory here"):
        read(raw)
