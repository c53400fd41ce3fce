"""Files in other encodings: by their mark, by a guess that is said, or by name."""

import time
from pathlib import Path

import pytest

from harness.core.errors import UserError
from harness.datasets.files.decoding import decoded, lines

FILE = Path("reviews.csv")
FRENCH = "le café était très bon, c’est sûr\n" * 20


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_marks_and_zeros_say_the_encoding(encoding: str) -> None:
    assert decoded(FILE, FRENCH.encode(encoding)).text == FRENCH


def test_a_mark_of_big_endian() -> None:
    assert decoded(FILE, b"\xfe\xff" + FRENCH.encode("utf-16-be")).text == FRENCH


@pytest.mark.parametrize(
    "text",
    [
        FRENCH,
        "¿Qué pasó, señor? ¡Nada! 20 °C\n" * 9,
        "große Füße „schön“ – 5 €\n" * 9,
        "•a list\n•of things™\n" * 20,
        "it’s “quoted” – only\n" * 20,
        "plain words\n" * 99 + "one naïve word\n",
    ],
)
def test_a_western_file_of_windows_is_read_and_said(text: str) -> None:
    found = decoded(FILE, text.encode("cp1252"))
    assert found.text == text
    assert found.encoding == "cp1252"
    assert "reviews.csv is not UTF-8; read as cp1252: " in found.note
    assert "--encoding" in found.note


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("хороший фильм\n", "cp1251"),
        ("хороший фильм\n", "koi8-r"),
        ("とても良い映画\n", "shift_jis"),
        ("很好的电影,差\n", "gb18030"),
        ("żółta łódź\n", "cp1250"),
    ],
)
def test_other_languages_are_asked_for_and_read_by_name(text: str, encoding: str) -> None:
    raw = (text * 20).encode(encoding)
    with pytest.raises(UserError, match=r"is not UTF-8 \(byte .*, line 1\).*--encoding cp1251"):
        decoded(FILE, raw)
    assert decoded(FILE, raw, encoding).text == text * 20


def test_a_damaged_line_of_utf_8_is_named() -> None:
    raw = "zażółć 文字\n".encode() * 61 + b"caf\xe9\n"
    with pytest.raises(UserError, match=r"not UTF-8 \(byte .*, line 62\), though most of it is"):
        decoded(FILE, raw)
    assert decoded(FILE, raw, "latin-1").encoding == "iso8859-1"


@pytest.mark.parametrize("name", ["zlib", "hex", "nonsense", "utf\0", "x" * 500])
def test_names_of_no_encoding_are_one_line(name: str) -> None:
    with pytest.raises(UserError, match="no such encoding; for example utf-8") as told:
        decoded(FILE, b"a", name)
    assert len(str(told.value)) < 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "ascii", "undefined", "idna"])
def test_a_wrong_name_is_one_line(encoding: str) -> None:
    with pytest.raises(UserError, match="name the right encoding"):
        decoded(FILE, FRENCH.encode("cp1252") + b"\xff", encoding)


def test_damaged_utf_16_and_single_zeros_are_one_line() -> None:
    with pytest.raises(UserError, match="is not utf-16"):
        decoded(FILE, FRENCH.encode("utf-16") + b"\x00")
    with pytest.raises(UserError, match=r"NUL characters \(line 2\)"):
        decoded(FILE, b"text,label\na\0,b\n")


def test_lines_end_as_on_any_system() -> None:
    assert list(lines("a\nb\r\nc\rd\u2028e")) == ["a\n", "b\r\n", "c\r", "d\u2028e"]
    assert list(lines("")) == []


def test_long_lines_take_linear_time() -> None:
    raw = b"a" * 2_000_000 + b"\n" + "café".encode("cp1252")
    began = time.process_time()
    assert "café" in decoded(FILE, raw).note
    assert time.process_time() - began < 5
