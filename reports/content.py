"""What a section gives to the page: plain data, no HTML except the charts' SVG.

All text here is plain text; the page escapes it.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Panel:
    """One chart: its SVG, and its text for readers who cannot see it.

    The ids in the SVG begin with `identity` and a hyphen.
    """

    svg: str
    alt: str
    identity: str = ""


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
    """A figure's numbers, for download as CSV: basic units, not rounded for display."""

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
    """`unit` is the unit of the cells' numbers; it stands in the CSV's heading.

    `choices` says that the values are those of a categorical hyperparameter, even if they are
    numbers.
    """

    title: str
    numeric: bool = False
    unit: str = ""
    choices: bool = False


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
    """A number in large type: its label, the number, and a note."""

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
