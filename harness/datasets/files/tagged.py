"""Sentences whose tokens have tags, from CoNLL files, or from columns of lists in a table.

A CoNLL file has a token on each line, and a blank line after each sentence. Columns are separated
by blanks or tabs: the first is the token, the last its tag.
"""

import ast
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base.memory import content
from harness.datasets.files import json_sequences, tables
from harness.datasets.files.decoding import UTF8, decoded, lines
from harness.datasets.files.labels import trim

CONLL = (".conll", ".bio", ".iob", ".iob2", ".txt")
SUFFIXES = (*CONLL, *tables.SUFFIXES)
TOKENS, TAGS = "tokens", "tags"  # the usual names of the columns

_DOCUMENT = "-DOCSTART-"  # begins a document; it is no token
_COLUMNS = re.compile(r"[ \t]+")
_BYTE_MEMORY = 40  # bytes for each byte of a file: each token is an object
_HEADING = 1 << 16  # bytes in which the names of columns are looked for


@dataclass
class Sentences:
    """Tokens and tags of each sentence, the place of each, and how the file was read."""

    tokens: list[list[str]] = field(default_factory=list)
    tags: list[list[str]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    encoding: str = UTF8
    notes: list[str] = field(default_factory=list)

    def add(self, tokens: list[str], tags: list[str], place: str) -> None:
        self.tokens.append(tokens)
        self.tags.append(tags)
        self.places.append(place)


@dataclass(frozen=True)
class TagSource:
    """A file of the user's, the names of its columns, and what is known of its encoding.

    Without `tags` its tokens have none: those that a model is to tag.
    """

    path: str
    tokens: str = TOKENS
    tags: str | None = TAGS
    encoding: str | None = None


def is_conll(path: Path) -> bool:
    """Whether a file is a CoNLL file: by its name or, of a `.txt` file, by columns in its lines."""
    suffix = path.suffix.lower()
    if suffix != ".txt":
        return suffix in CONLL
    try:
        with path.open("rb") as file:
            found = file.read(_HEADING).split(b"\n")[:-1]
    except OSError:
        return False
    columns = Counter(len(line.split()) for line in found if line.strip())
    usual, of_lines = max(columns.items(), key=lambda item: item[1], default=(0, 0))
    return usual > 1 and of_lines >= 0.95 * columns.total()


def has_columns(path: Path) -> bool:
    """Whether a table has the columns `tokens` and `tags`."""
    suffix = path.suffix.lower()
    if suffix in json_sequences.SUFFIXES:
        names = list(json_sequences.first_row(path))
    elif suffix == ".parquet":
        try:
            import pyarrow.parquet

            names = pyarrow.parquet.read_schema(path).names
        except Exception:  # the reader of tables says what is wrong
            return False
    elif suffix in tables.SUFFIXES:
        try:
            with open(path, "rb") as file:
                heading = file.readline(_HEADING).decode("utf-8-sig", errors="replace")
        except OSError:
            return False
        names = [trim(name.strip(' "\r\n')) for name in re.split(r"[,;\t|]", heading)]
    else:
        return False
    return TOKENS in names and TAGS in names


def read(source: TagSource) -> tuple[Sentences, bytes]:
    """The sentences of a file, and its bytes; raises UserError that names the line or row."""
    path = Path(source.path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"{path}: files of this kind have no tags; use {', '.join(SUFFIXES)}")
    raw = content(path, _BYTE_MEMORY)
    found = (_conll if suffix in CONLL else _table)(path, raw, source)
    if not found.tokens:
        raise UserError(f"{path} has no sentences")
    return found, raw


def _conll(path: Path, raw: bytes, source: TagSource) -> Sentences:
    text = decoded(path, raw, source.encoding)
    found = Sentences(encoding=text.encoding, notes=[text.note] if text.note else [])
    tokens: list[str] = []
    tags: list[str] = []
    for number, line in enumerate([*lines(text.text), ""], start=1):
        line = line.strip(" \t\r\n")
        if line and not line.startswith(_DOCUMENT):
            columns = _COLUMNS.split(line)
            if len(columns) < 2 and source.tags is not None:
                raise UserError(
                    f"{path}: line {number:,} has one column, {cut(line, 40)!r}; write a token and "
                    "its tag on each line, and a blank line after each sentence"
                )
            tokens.append(columns[0])
            tags.append(columns[-1])
        elif tokens:
            found.add(tokens, tags, f"line {number - len(tokens):,}")
            tokens, tags = [], []
    return found


def _table(path: Path, raw: bytes, source: TagSource) -> Sentences:
    names = [source.tokens] if source.tags is None else [source.tokens, source.tags]
    table = tables.read(path, raw, source.encoding, names)
    for name, option in zip(names, ("--text-column", "--label-column"), strict=False):
        table.check(name, option)
    found = Sentences(notes=list(table.notes))
    cells = [table.frame[name].tolist() for name in names]
    for number, (tokens, *tags) in enumerate(zip(*cells, strict=True), start=1):
        place = f"row {number:,}"
        words = _list(f"{path}: {place}: {cut(source.tokens)}", tokens)
        if source.tags is None:
            found.add(words, [], place)
            continue
        named = _list(f"{path}: {place}: {cut(source.tags)}", tags[0])
        if len(named) != len(words):
            raise UserError(
                f"{path}: {place} has {len(words):,} tokens and {len(named):,} tags; give each "
                "token one"
            )
        found.add(words, named, place)
    return found


def _list(where: str, cell: Any) -> list[str]:
    """A list of texts or numbers as texts; in CSV it is written as Python or JSON writes it."""
    if isinstance(cell, str):
        try:
            cell = ast.literal_eval(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            cell = None
    found = cell.tolist() if hasattr(cell, "tolist") else cell
    if not isinstance(found, list) or not found:
        raise UserError(f'{where} is no list, such as ["Anna", "sings"]')
    for each in found:
        if not isinstance(each, str | int) or isinstance(each, bool):
            raise UserError(f"{where} has {cut(repr(each), 40)}; it needs texts")
        if not str(each).strip() or "\n" in str(each):
            raise UserError(f"{where} has {cut(repr(each), 40)}; tokens and tags are words")
    return [str(each) for each in found]
