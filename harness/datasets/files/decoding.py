"""From the bytes of a user's file to text: by its byte order mark, as UTF-8, or by a guess.

A guess is said, and `--encoding` decides where it is wrong or where there is none.
"""

import codecs
import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import regex

from harness.core.errors import UserError
from harness.core.text import cut

UTF8 = "utf-8"
GUESS = "cp1252"  # Windows, Western Europe; the same as Latin-1 for all letters
# Marks of the longer codes first: that of UTF-16 begins that of UTF-32.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_HIGH = re.compile(rb"[\x80-\xff]")
# What no Western language has right before a letter, such as ³: letters of another encoding.
_ODD = regex.compile(
    r"[^\x00-\x7f\s\p{L}‘’‚“”„‹›«»´–—…¿¡€£¢¥§°·•™©®×÷±†‡](?=\p{L}|[^\x00-\x7f\s\p{L}]\p{L})"
)
_MOST_HIGH = 0.4  # of the letters: more are not a Western language
_MOST_ODD = 0.1  # of the characters above ASCII
_MOST_DAMAGED = 0.1  # of the bytes above ASCII: with fewer outside of its sequences it is UTF-8
_SAMPLE = 1 << 20  # bytes with which a guess is checked


@dataclass(frozen=True)
class Decoded:
    """The text of a file, its encoding by Python's name, and a sentence if that was guessed."""

    text: str
    encoding: str
    note: str = ""


def lines(text: str) -> Iterator[str]:
    """The lines of a text with their ends: line feeds, carriage returns, or both."""
    return (match[0] for match in _LINE.finditer(text))


def is_unicode(raw: bytes) -> bool:
    """Whether bytes have a byte order mark, or are UTF-8."""
    if raw.startswith(tuple(mark for mark, _ in _MARKS)):
        return True
    try:
        raw.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


def decoded(file: Path, raw: bytes, encoding: str | None = None) -> Decoded:
    """The text of a file; `encoding` is what the user says.

    Raises UserError with the line of the first byte that does not fit.
    """
    if encoding is not None:
        name = _known(encoding)
        return Decoded(_strictly(file, raw, name).removeprefix("\ufeff"), name)
    for mark, name in _MARKS:
        if raw.startswith(mark):
            text = _strictly(file, raw, name)
            return Decoded(text, UTF8 if name == "utf-8-sig" else name)
    if b"\0" in raw:
        return _without_mark(file, raw)
    try:
        return Decoded(raw.decode(UTF8), UTF8)
    except UnicodeDecodeError as error:
        return _guessed(file, raw, error)


def _known(encoding: str) -> str:
    """The usual name of an encoding; raises UserError if Python has none of this name."""
    try:
        name = codecs.lookup(encoding).name
        with contextlib.suppress(UnicodeError):
            b"a".decode(name)  # LookupError for codecs between bytes and bytes
    except (LookupError, ValueError):
        raise UserError(
            f"--encoding {cut(encoding)}: no such encoding; for example utf-8, utf-16, cp1252, "
            "cp1251, gb18030, shift_jis"
        ) from None
    return UTF8 if name == "utf-8-sig" else name


def _strictly(file: Path, raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    # Some of Python's codecs raise other errors: ValueError, or UnicodeError without a place.
    except ValueError as error:
        raise UserError(
            f"{file} is not {encoding}{_place(raw, error)}; name the right encoding, "
            "for example --encoding utf-8"
        ) from None


def _guessed(file: Path, raw: bytes, error: UnicodeDecodeError) -> Decoded:
    """What is not UTF-8: Windows' Western encoding where that makes words."""
    others = len(_HIGH.findall(_SEQUENCE.sub(b"", raw)))
    if others < _MOST_DAMAGED * len(_HIGH.findall(raw)):
        raise UserError(
            f"{file} is not UTF-8{_place(raw, error)}, though most of it is; mend that line, or "
            f"name the encoding of the whole file, for example --encoding {GUESS}"
        )
    first = next(_HIGH.finditer(raw)).start()
    begin = max(0, first - 200)
    part = raw[begin : begin + _SAMPLE]
    text = part.decode(GUESS, "replace")
    letters = sum(map(str.isalpha, text))
    others_than_ascii = [char for char in text if not char.isascii() and not char.isspace()]
    high_letters = sum(map(str.isalpha, others_than_ascii))
    odd = len(_ODD.findall(text)) + text.count("\ufffd")
    if high_letters > _MOST_HIGH * letters or odd > _MOST_ODD * len(others_than_ascii):
        raise UserError(
            f"{file} is not UTF-8{_place(raw, error)}; name its encoding, for example --encoding "
            "cp1251 (Cyrillic), gb18030 (Chinese), shift_jis (Japanese) or cp1252 (Western Europe)"
        )
    try:
        whole = raw.decode(GUESS)
    except UnicodeDecodeError as second:
        raise UserError(
            f"{file} is neither UTF-8 nor {GUESS}{_place(raw, second)}; name its encoding, for "
            "example --encoding latin-1"
        ) from None
    around = (
        raw[max(0, first - 25) : first].split(b"\n")[-1] + raw[first : first + 20].split(b"\n")[0]
    )
    example = cut(around.decode(GUESS, "replace").strip())
    return Decoded(
        whole,
        GUESS,
        f"{file.name} is not UTF-8; read as {GUESS}: {example!r} (--encoding decides)",
    )


def _without_mark(file: Path, raw: bytes) -> Decoded:
    """Bytes with zeros among them: UTF-16 without a mark, where they are every second byte."""
    even, odd = raw[::2].count(0), raw[1::2].count(0)
    half = len(raw) // 2
    for zeros, others, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if zeros > 0.5 * half and others < 0.01 * half:
            return Decoded(
                _strictly(file, raw, name),
                name,
                f"{file.name} is read as {name} (--encoding decides)",
            )
    line = raw.count(b"\n", 0, raw.index(b"\0")) + 1
    raise UserError(
        f"{file} has NUL characters (line {line:,}); name its encoding, for example "
        "--encoding utf-16-le, or remove them"
    )


def _place(raw: bytes, error: ValueError) -> str:
    """` (byte 12, line 3)`, where the error has a place."""
    if not isinstance(error, UnicodeDecodeError):
        return ""
    line = raw.count(b"\n", 0, error.start) + 1
    return f" (byte {error.start:,}, line {line:,})"
