"""JSON Lines: odd values are joined or refused, never turned into Python's way to write them."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.core.errors import UserError
from harness.datasets.files import json_lines
from harness.datasets.files.rows import Rows, Source


def read(*rows: Any) -> Rows:
    raw = "".join(row if isinstance(row, str) else f"{json.dumps(row)}\n" for row in rows)
    return json_lines.read(Path("a.jsonl"), raw.encode(), Source("a.jsonl"))


def test_lists_of_tokens_are_joined_and_said() -> None:
    found = read({"text": ["a", "b c"], "label": False}, {"text": "d", "label": True})
    assert found.texts == ["a b c", "d"]
    assert found.labels == [False, True]
    assert found.notes == ["texts that are lists of tokens are joined with blanks"]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"text": [1, 2], "label": 1}, "line 2: the text is a list of other things than texts"),
        ({"text": {"a": 1}, "label": 1}, "line 2: the text is an object"),
        ({"text": True, "label": 1}, "line 2: the text is true or false"),
        ({"text": "a", "label": ["x"]}, "line 2: the label is a list; each row needs one class"),
        ({"text": "a", "label": {"x": 1}}, "line 2: the label is an object"),
        ({"text": "a"}, "a.jsonl: line 2 has no column 'label'"),
        ([{"text": "a", "label": 1}], "line 2 is not a JSON object; write each row as an object"),
        ("[" * 5000 + "\n", "line 2 is not JSON"),
        ('{"text": "a", "label": 1}{\n', "line 2 is not JSON"),
    ],
)
def test_what_is_no_text_or_label_is_one_line(row: Any, words: str) -> None:
    with pytest.raises(UserError) as told:
        read({"text": "a", "label": 1}, row)
    assert words in str(told.value)
    assert len(str(told.value)) < 300


def test_blank_lines_and_other_ends_of_lines() -> None:
    found = read('{"text": "a", "label": 1}\r\n\r\n{"text": "b", "label": 0}\r')
    assert found.texts == ["a", "b"]
    assert found.left_out == {"blank lines": 1}
    assert found.place(1) == "line 3"
