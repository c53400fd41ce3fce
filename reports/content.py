"""What a section of the report hands to the page: plain data, no HTML but the charts' SVG.

All text here is plain text; the page escapes it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """One chart: its SVG, and the words that stand for it where it cannot be seen."""

    svg: str
    alt: str


@dataclass(frozen=True)
class Key:
    """A legend's entry: `path` is SVG path data in a box of 2 by 2 around the origin."""

    label: str
    path: str
    fill: str
    stroke: str
    dash: str = "none"


@dataclass(frozen=True)
class Data:
    """What a figure shows, in numbers, to be downloaded as CSV: full precision, basic units."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | int | float | None, ...], ...]


@dataclass(frozen=True)
class Figure:
    """Panels side by side where there is room, below one another on a phone."""

    id: str
    panels: tuple[Panel, ...]
    caption: str
    data: Data
    legend: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Link:
    """A table's cell that leads to the element `target` (an id) of the same page."""

    text: str
    target: str


@dataclass(frozen=True)
class Value:
    """A table's cell that is a number: as it is shown, and as it is sorted and downloaded."""

    text: str
    number: float


Cell = str | Link | Value


@dataclass(frozen=True)
class Column:
    """`unit` is that of its cells' numbers, for the CSV's heading."""

    title: str
    numeric: bool = False
    unit: str = ""


@dataclass(frozen=True)
class Row:
    """`kind` (a state, or "best") sets the row's look."""

    cells: tuple[Cell, ...]
    id: str | None = None
    kind: str = ""


@dataclass(frozen=True)
class Table:
    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Fact:
    """A number worth large type: what it is, the number, and what to bear in mind about it."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Command:
    """A shell command and what it does."""

    purpose: str
    command: str


@dataclass(frozen=True)
class Section:
    """One part of the page; `text` holds paragraphs of one or two sentences.

    Shown in this order: notices, text, facts, figures, tables, commands.
    """

    id: str
    title: str
    text: tuple[str, ...]
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    notices: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    commands: tuple[Command, ...] = ()
