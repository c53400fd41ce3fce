"""Sequences of numbers from JSON Lines: an object on each line, whose sequence is a list.

    {"x": [0.1, 0.4, 0.2], "y": "up"}
    {"x": [[0.1, 3], [0.4, 2]], "y": "down"}

A list of numbers has one feature; in a list of lists each one is a time step. Where each step has a
class, `y` is a list as long as `x`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut, some
from harness.datasets.base.memory import check_memory, content
from harness.datasets.files.decoding import decoded, lines
from harness.datasets.files.labels import trim

SUFFIXES = (".jsonl", ".ndjson")
_BYTE_MEMORY = 30  # bytes for each byte of a file while it is read
_SAMPLE = 1 << 20  # bytes in which the first line is looked for

Padded = tuple[NDArray[np.float64], NDArray[Any] | None, NDArray[np.int64]]


def read(path: Path, x_column: str, y_column: str | None) -> Padded:
    """Sequences (n, longest, features), filled up with zeros, their targets, and their lengths.

    Targets are (n,), or (n, longest) where each step has a class, with any class beside padding.
    Without `y_column` there are no targets. Raises UserError that names the line.
    """
    found, targets = [], []
    for where, row in _rows(path):
        found.append(_sequence(f"{where}: {cut(x_column)}", _cell(where, row, x_column)))
        if found[-1].shape[1] != found[0].shape[1]:
            raise UserError(
                f"{where}: {cut(x_column)} has {found[-1].shape[1]:,} numbers a step, others have "
                f"{found[0].shape[1]:,}; give each step equally many"
            )
        if y_column is not None:
            cell = _cell(where, row, y_column)
            targets.append(_target(f"{where}: {cut(y_column)}", cell, len(found[-1])))
    if not found:
        raise UserError(f"{path} has no rows")
    lengths = np.array([len(each) for each in found], np.int64)
    shape = (len(found), int(lengths.max()), found[0].shape[1])
    check_memory(path, 3 * 8 * int(np.prod(shape, dtype=np.int64)))
    x = np.zeros(shape)
    for room, each in zip(x, found, strict=True):
        room[: len(each)] = each
    if y_column is None:
        return x, None, lengths
    return x, _array(path, y_column, _even(path, y_column, targets, shape[1])), lengths


def first_row(path: Path) -> dict[str, Any]:
    """The first object of a file; empty where there is none, which readers complain of."""
    try:
        with open(path, "rb") as file:
            text = file.read(_SAMPLE).decode("utf-8-sig", errors="replace")
    except OSError:
        return {}
    line = next((line for line in lines(text) if line.strip()), "")
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return {trim(name): cell for name, cell in found.items()} if isinstance(found, dict) else {}


def is_sequence(cell: object) -> bool:
    """Whether a cell is a list of numbers, or of lists."""
    return isinstance(cell, list) and bool(cell) and isinstance(cell[0], int | float | list)


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a file, each with its place."""
    raw = content(path, _BYTE_MEMORY)
    for number, line in enumerate(lines(decoded(path, raw).text), start=1):
        if not line.strip():
            continue
        where = f"{path}: line {number:,}"
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where} is not JSON ({cut(str(error), 80)})") from None
        if not isinstance(found, dict):
            raise UserError(f"{where} is not a JSON object; write each sequence as one")
        yield where, {trim(name): cell for name, cell in found.items()}


def _cell(where: str, row: dict[str, Any], column: str) -> Any:
    if column not in row:
        raise UserError(f"{where} has no {cut(column)!r}; it has {some(list(row)) or 'nothing'}")
    return row[column]


def _sequence(where: str, cell: Any) -> NDArray[np.float64]:
    """A list of numbers or of lists as (time, features)."""
    wanted = "a list of numbers, or of lists with equally many numbers for each step"
    if not isinstance(cell, list):
        raise UserError(f"{where} is no list; it needs {wanted}")
    steps = [each if isinstance(each, list) else [each] for each in cell]
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool)
        for step in steps
        for value in step
    )
    if not steps or not steps[0] or not numbers or len({len(step) for step in steps}) > 1:
        raise UserError(f"{where} is {cut(json.dumps(cell), 60)}; it needs {wanted}")
    try:
        return np.array(steps, np.float64)
    except OverflowError:
        raise UserError(f"{where} has a number that is too large for floating point") from None


def _target(where: str, cell: Any, steps: int) -> Any:
    """A class or a number, or a list with a class for each step."""
    each = cell if isinstance(cell, list) else [cell]
    if not each or not all(isinstance(one, str | int | float) for one in each):
        raise UserError(f"{where} is {cut(json.dumps(cell), 60)}; it needs a class or a number")
    if isinstance(cell, list) and len(cell) != steps:
        raise UserError(
            f"{where} has {len(cell):,} classes for {steps:,} steps; give each step one"
        )
    return cell


def _even(path: Path, column: str, cells: list[Any], longest: int) -> list[Any]:
    """Targets of the steps as lists of one length; others as they are."""
    lists = [isinstance(cell, list) for cell in cells]
    if not any(lists):
        return cells
    if not all(lists):
        raise UserError(f"{path}: {cut(column)} has a list in some lines only; write all alike")
    return [cell + cell[:1] * (longest - len(cell)) for cell in cells]


def _array(path: Path, column: str, cells: list[Any]) -> NDArray[Any]:
    """Targets of one kind as an array; raises UserError for mixed ones."""
    flat = [one for cell in cells for one in (cell if isinstance(cell, list) else [cell])]
    kinds = {str if isinstance(one, str) else bool if isinstance(one, bool) else float
             for one in flat}  # fmt: skip
    if len(kinds) > 1:
        raise UserError(
            f"{path}: {cut(column)} has {' and '.join(sorted(map(_name, kinds)))}; write all "
            "targets in one way"
        )
    found = np.array(cells)
    if found.dtype.kind not in "fiubU":
        raise UserError(f"{path}: {cut(column)} has whole numbers that are too large")
    return found


def _name(kind: type) -> str:
    return {str: "strings", bool: "true or false", float: "numbers"}[kind]
