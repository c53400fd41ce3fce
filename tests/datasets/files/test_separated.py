"""CSV and TSV: every row is read as it was meant, or the row and line are named."""

from pathlib import Path

import pytest

from harness.core.errors import UserError
from harness.datasets.files import separated
from harness.datasets.files.rows import Rows, Source


def read(content: str, delimiter: str = ",", **columns: str) -> Rows:
    source = Source("a.csv", **columns)
    return separated.read(Path("a.csv"), content.encode(), source, delimiter)


def complaint(content: str, delimiter: str = ",", **columns: str) -> str:
    with pytest.raises(UserError) as told:
        read(content, delimiter, **columns)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 600
    return str(told.value)


def numbered(n: int = 40, delimiter: str = ",") -> list[str]:
    return [f"{'spam' if i % 2 else 'ham'}{delimiter}word{i} of a text" for i in range(n)]


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("last", [9, 29])
def test_quotes_without_a_partner_swallow_no_rows(delimiter: str, last: int) -> None:
    lines = numbered(delimiter=delimiter)
    lines[8] = f'ham{delimiter}"word8 of a text'
    lines[last] += '"'
    found = read("\n".join([f"label{delimiter}text", *lines]), delimiter)
    assert len(found.texts) == 40
    assert found.texts[8] == '"word8 of a text'
    assert found.notes == ["double quotes that are not in pairs are part of the texts"]


@pytest.mark.parametrize("labels_last", [True, False])
def test_where_other_cells_are_quoted_a_swallowing_quote_is_named(labels_last: bool) -> None:
    lines = [f'ham,"quoted, {i}"' for i in range(40)]
    lines[8:10] = ['ham,"open', 'ham,closed"']
    if labels_last:
        lines = [f'"quoted, {i}",ham' for i in range(40)]
        lines[8:10] = ['"open,ham', 'closed",ham']
    head = "text,label" if labels_last else "label,text"
    assert "row 9 (line 10): a double quote opens a text that takes up 2 lines" in complaint(
        "\n".join([head, *lines])
    )


@pytest.mark.parametrize("head", ["text,label", "label,text", "id,text,label"])
def test_texts_of_several_lines_stay_whole(head: str) -> None:
    cells = {"text": '"first line, good\nsecond, bad\n\n{} third ""line"""', "id": "{}"}
    rows = [
        ",".join(cells.get(name, ["good", "bad"][i % 2]).format(i) for name in head.split(","))
        for i in range(60)
    ]
    found = read("\n".join([head, *rows]))
    assert found.texts[7] == 'first line, good\nsecond, bad\n\n7 third "line"'
    assert len(found.texts) == 60
    assert found.notes == []


def test_a_blank_before_a_quote_is_no_part_of_the_text() -> None:
    found = read('id, text, label\n0, "red, green", neg\n1,  "blue, ""so""", pos\n')
    assert found.texts == ["red, green", 'blue, "so"']
    assert found.labels == ["neg", "pos"]


def test_a_quote_within_a_quoted_text_is_named_with_row_and_line() -> None:
    rows = [f'"a text {i}",1' for i in range(200)]
    rows[137] = '"so he said "fine" and left",1'
    told = complaint("\n".join(["text,label", *rows]))
    assert "row 138 (line 139): a double quote within a quoted text" in told
    several = complaint('text,label\n"a\nb\nc",1\n"x "y" z",0\n')
    assert "row 2 (line 5)" in several


def test_a_backslash_before_a_quote_is_read() -> None:
    found = read('text,label\n"he said \\"fine\\", twice",1\n"other",0\n')
    assert found.texts == ['he said "fine", twice', "other"]
    assert "backslash" in found.notes[0]


def test_a_quote_that_is_never_closed_is_named() -> None:
    assert "row 2 (line 3): a double quote opens a text that is never closed" in complaint(
        'text,label\n"a",1\n"b,0\nc,1\n'
    )


def test_cells_of_other_delimiters_are_read_and_said() -> None:
    for delimiter, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        found = read(f"text{delimiter}label\na, b{delimiter}1\n")
        assert (found.texts, found.labels) == (["a, b"], ["1"])
        assert found.notes == [f"cells are separated by {name}"]


def test_what_is_no_row_is_counted() -> None:
    found = read("text,label\na,1\n\n,,\nb,0,\n  \n")
    assert found.texts == ["a", "b"]
    assert found.left_out == {"blank lines": 3}
    assert read("text,label,id\na,1\nb,0,2\n").notes == ["1 row with fewer cells than the heading"]
    assert "row 2 (line 4) has more cells than the heading (3, not 2)" in complaint(
        "text,label\na,1\n\nb,0,c\n"
    )


def test_old_ends_of_lines_are_ends_of_lines() -> None:
    assert read("text,label\ra,1\rb,0\r").texts == ["a", "b"]


def test_columns() -> None:
    assert read("\ufeff text , label\na,1\n").texts == ["a"]
    assert "several columns 'text'" in complaint("text,label,text\na,1,b\n")
    assert "are both 'text'" in complaint("text,label\na,1\n", label_column="text")
    assert "it has a, b: name one with --label-column" in complaint("a,b\nx,y\n", text_column="a")


def test_columns_that_differ_in_case_only() -> None:
    assert read("TEXT,Label\na,1\n").texts == ["a"]
    assert read("TEXT,text,label\na,b,1\n").texts == ["b"]  # the very name, where it is there
    assert "several columns 'text'" in complaint("TEXT,Text,label\na,b,1\n")
    assert "are both 'text'" in complaint("Text,y\na,1\n", label_column="TEXT")
    assert read("a,A\nx,1\n", text_column="a", label_column="A").texts == ["x"]


def test_a_table_without_a_heading_is_a_short_line() -> None:
    told = complaint(f"1,{'many words ' * 500},title\n" * 50)
    assert "is there a heading?" in told
    assert "many words many words" in told
    assert len(told) < 300


@pytest.mark.parametrize(
    "content",
    ["Date,Open,Close\n2025-01-01,99.87,99.08\n", "time;value\n12:30;-1.5e3\n", "x\n1\n2\n"],
)
def test_a_series_of_numbers_is_told_how_it_is_given(content: str) -> None:
    assert "a forecast from a table over time needs --time-column and" in complaint(content)
