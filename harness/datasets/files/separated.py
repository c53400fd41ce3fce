"""CSV and TSV: how cells are separated and quoted, and rows that a quote swallows."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.core.errors import UserError
from harness.core.text import counted, cut
from harness.datasets.files.decoding import decoded, lines
from harness.datasets.files.labels import trim
from harness.datasets.files.rows import NO_LABEL, Rows, Source, check_columns, place

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(?:[T ].*)?|\d{1,2}:\d\d(?::\d\d.*)?")
_REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|nan|NaN|NA|")
_MOST_LIKE_ROWS = 0.8  # of the lines of a text in quotes; with more, they are rows


class _ReadError(Exception):
    """A table can't be read in one way, and this is where."""


@dataclass(frozen=True)
class _Style:
    """A way to read a table."""

    delimiter: str
    skip_blanks: bool = False  # before a quote
    backslash: bool = False  # before a quote within quotes
    quotes: bool = True

    def records(self, fed: Iterator[str]) -> Any:
        """A reader of the csv module."""
        return csv.reader(
            fed,
            delimiter=self.delimiter,
            strict=True,
            skipinitialspace=self.skip_blanks,
            escapechar="\\" if self.backslash else None,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
        )


@dataclass
class _Lines:
    """The lines of a text; `since` has those that were read after it was emptied."""

    content: str
    since: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[str]:
        for line in lines(self.content):
            self.since.append(line)
            yield line


def read(path: Path, raw: bytes, source: Source, delimiter: str) -> Rows:
    """The rows of a CSV or TSV file; raises UserError that names the row and its line."""
    text = decoded(path, raw, source.encoding)
    content = text.text
    found = _delimiter(content, source, delimiter)
    limit = csv.field_size_limit(min(2**31 - 1, len(content) + 1))
    try:
        rows = _first_that_reads(path, content, source, found)
    finally:
        csv.field_size_limit(limit)
    rows.encoding = text.encoding
    if found != delimiter:
        rows.notes.insert(0, f"cells are separated by {_DELIMITERS[found]}")
    if text.note:
        rows.notes.insert(0, text.note)
    return rows


def _delimiter(content: str, source: Source, usual: str) -> str:
    """The delimiter with which the heading has the columns, or else that it seems to have."""
    first = next(lines(content.lstrip("\r\n")), "")
    for delimiter in (usual, *_DELIMITERS):
        names = [trim(trim(cell).strip('"')) for cell in first.split(delimiter)]
        if set(source.columns.values()) <= set(names):
            return delimiter
    return usual if usual in first else max((usual, *_DELIMITERS), key=first.count)


def _first_that_reads(path: Path, content: str, source: Source, delimiter: str) -> Rows:
    """The rows in the first style that reads all of them; the first one's complaint if none does.

    Quotes are part of the texts only where no cell begins and ends with one.
    """
    blanks = bool(re.search(rf'(?:^|{re.escape(delimiter)}) +"', content, re.MULTILINE))
    usual = _Style(delimiter, skip_blanks=blanks)
    try:
        return _rows(path, content, source, usual)
    except _ReadError as error:
        complaint = error
    others = []
    if '\\"' in content:
        note = "a backslash before a quote means that the quote is part of the text"
        others.append((_Style(delimiter, skip_blanks=blanks, backslash=True), note))
    if not _has_quoted_cells(content, delimiter):
        others.append(
            (
                _Style(delimiter, quotes=False),
                "double quotes that are not in pairs are part of the texts",
            )
        )
    for style, note in others:
        try:
            rows = _rows(path, content, source, style)
        except _ReadError:
            continue
        rows.notes.append(note)
        return rows
    raise UserError(f"{path}: {complaint}") from None


def _has_quoted_cells(content: str, delimiter: str) -> bool:
    """Whether any cell begins and ends with a quote."""
    edge = re.escape(delimiter)
    return bool(
        re.search(rf'(?:^|{edge}) *"[^"\r\n]*" *(?:{edge}|\r|\n|\Z)', content, re.MULTILINE)
    )


def _rows(path: Path, content: str, source: Source, style: _Style) -> Rows:
    fed = _Lines(content)
    reader = style.records(iter(fed))
    rows = Rows()
    number, first_line, width, short = 0, 1, 0, 0
    columns: tuple[int, int] | None = None
    suspects: list[tuple[str, list[str | None]]] = []
    try:
        for cells in reader:
            line, first_line = first_line, reader.line_num + 1
            physical, fed.since = fed.since, []
            if not any(map(str.strip, cells)):
                rows.left_out["blank lines"] += 1
                continue
            if columns is None:
                names = [trim(cell) for cell in cells]
                numbers = _only_numbers(content, style, reader.line_num)
                columns = check_columns(path, names, source, numbers=numbers)
                width = len(cells)
                continue
            number += 1
            where = place(number, line)
            if any(cells[width:]):
                raise _ReadError(_too_many(where, cells, width, style))
            if len(cells) < width and not style.quotes:
                raise _ReadError(f"{where} has {len(cells):,} cells, the heading has {width:,}")
            short += len(cells) < width
            text, label = (cells[at] if at < len(cells) else "" for at in columns)
            if source.label_column is None:
                rows.add(text, NO_LABEL, number, line)
                continue
            if "\n" in label or "\r" in label:
                raise _ReadError(f"{where}: the label runs over line ends; is a quote left open?")
            rows.add(text, label, number, line)
            if len(physical) > 1:
                suspects.append((where, _labels_of_lines(physical, style, columns[1], width)))
    except csv.Error as error:
        raise _ReadError(_complaint(error, place(number + 1, first_line))) from None
    if columns is None:
        check_columns(path, [], source)
    _check_swallowed(suspects, rows)
    if short:
        rows.notes.append(f"{counted(short, 'row')} with fewer cells than the heading")
    return rows


def _too_many(where: str, cells: Sequence[str], width: int, style: _Style) -> str:
    mend = "put texts that contain the delimiter in double quotes"
    if any(cell.startswith('"') for cell in cells):
        mend = "a double quote does not begin its cell, or a text has single quotes around it"
    return f"{where} has more cells than the heading ({len(cells):,}, not {width:,}); {mend}"


def _complaint(error: csv.Error, where: str) -> str:
    """What the parser complains of, and how to mend it."""
    told = str(error)
    if "expected after" in told:
        return (
            f"{where}: a double quote within a quoted text; write such quotes twice "
            '(""), or leave them out'
        )
    if "unexpected end of data" in told:
        return f"{where}: a double quote opens a text that is never closed; close or remove it"
    return f"{where} can't be read ({cut(told, 80)})"


def _labels_of_lines(
    physical: Sequence[str], style: _Style, column: int, width: int
) -> list[str | None]:
    """The label of each line of a row, if it were a row of its own; None where it can't be one."""
    found = (line.rstrip("\r\n").split(style.delimiter) for line in physical)
    return [trim(cells[column].strip(' "')) if len(cells) == width else None for cells in found]


def _check_swallowed(suspects: Sequence[tuple[str, list[str | None]]], rows: Rows) -> None:
    """Raises _ReadError where the lines of one row look like several rows with known labels."""
    known = {trim(str(label)) for label in rows.labels}
    for where, labels in suspects:
        if sum(label in known for label in labels) > _MOST_LIKE_ROWS * len(labels):
            raise _ReadError(
                f"{where}: a double quote opens a text that takes up {len(labels):,} lines that "
                "look like rows; remove the quote, or put all of the text in quotes, those within "
                'written twice ("")'
            )


def _only_numbers(content: str, style: _Style, line: int) -> bool:
    """Whether the row after the heading has numbers, dates and nothing else."""
    for index, row in enumerate(lines(content)):
        if index >= line and row.strip():
            cells = [cell.strip(' "\r\n') for cell in row.split(style.delimiter)]
            numbers = [cell for cell in cells if _REAL.fullmatch(cell)]
            dates = [cell for cell in cells if _DATE.fullmatch(cell)]
            return any(numbers) and len({*numbers, *dates}) == len(set(cells))
    return False
