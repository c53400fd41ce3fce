"""From a table to a series: sorted, without duplicates, with gaps and missing values settled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import counted, cut, some
from harness.datasets.base.frequency import Frequency, one_shown
from harness.datasets.base.series import Series
from harness.datasets.files import tables, times
from harness.datasets.files.tables import Table

MISSING = ("error", "interpolate", "drop")
GAPS = ("error", "fill", "ignore")
_LONG_GRID = 100  # times as many times as rows: then the frequency is wrong
_CLOSE = 1e-6  # of a step: how far a number may be from its place


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Which columns of a table are read, and how; None for what is to be found out.

    `future`: rows at the end that have no targets yet are kept, for what is known in advance.
    """

    time_column: str
    targets: tuple[str, ...]
    inputs: tuple[str, ...] | None = None
    known: tuple[str, ...] = ()
    series_column: str | None = None
    frequency: str | None = None
    missing: str = "error"
    gaps: str = "error"
    encoding: str | None = None
    future: bool = False

    def __post_init__(self) -> None:
        for option, value, known in (
            ("--missing", self.missing, MISSING),
            ("--gaps", self.gaps, GAPS),
        ):
            if value not in known:
                raise UserError(f"{option} {cut(value)}: not one of {', '.join(known)}")
        if not self.targets:
            raise UserError("--target-column: name the column to forecast")
        named = [self.time_column, *self.targets, *(self.inputs or ()), *self.known]
        named += [self.series_column] if self.series_column is not None else []
        for name in named:
            if named.count(name) > 1:
                raise UserError(
                    f"column {cut(name)!r} is named twice; each of --time-column, "
                    "--target-column, --input-columns, --known-columns and --series-column has "
                    "columns of its own"
                )


@dataclass
class _Rows:
    """The rows of one series, sorted: values, times, and row numbers in the file."""

    name: str
    values: NDArray[np.float64]
    times: NDArray[Any]
    numbers: NDArray[np.int64]  # -1 for rows that are not in the file
    filled: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    left_out: int = 0

    @property
    def of_series(self) -> str:
        return f" of series {cut(self.name)!r}" if self.name else ""

    def take(self, which: NDArray[Any] | slice) -> None:
        """Keep some rows."""
        self.values, self.times = self.values[which], self.times[which]
        self.numbers, self.filled = self.numbers[which], self.filled[which]


def read(path: Path, raw: bytes, how: Reading) -> Series:
    """The series in a file's bytes; raises UserError that names row and column."""
    texts = [how.time_column, *([how.series_column] if how.series_column else [])]
    table = tables.read(path, raw, how.encoding, texts)
    inputs = _columns(table, how)
    names = (*how.targets, *inputs, *how.known)
    if not len(table.frame):
        raise UserError(f"{path} has no rows")
    found = times.parsed(table, how.time_column)
    values = np.empty((len(table.frame), len(names)))
    for at, name in enumerate(names):
        values[:, at] = table.numbers(name, _option(name, how))
    notes = [*table.notes, *found.notes]
    skipped = [n for n in table.names if n not in (*names, *texts) and not table.is_numeric(n)]
    if skipped and how.inputs is None:
        notes.append(f"columns that are not numbers are not read: {some(skipped)}")
    members = list(_members(table, how, values, found.values, notes))
    frequency = _frequency(members, how, found.values.dtype.kind == "f")
    left_out = {"rows with missing values": 0, "rows at the end without a target": 0}
    filled = {"gaps": 0, "values": 0}
    for each in members:
        _check_duplicates(path, each, how)
        if how.known and not how.future:
            left_out["rows at the end without a target"] += _cut_future(each, len(how.targets))
        filled["gaps"] += _settle_gaps(path, each, frequency, how)
        filled["values"] += _settle_missing(path, each, names, how)
        left_out["rows with missing values"] += each.left_out
    notes += _said(filled)
    return Series(
        values=np.concatenate([each.values for each in members]),
        names=names,
        times=np.concatenate([each.times for each in members]),
        bounds=np.cumsum([0, *(len(each.times) for each in members)]),
        frequency=frequency,
        filled=np.concatenate([each.filled for each in members]),
        members=tuple(each.name for each in members),
        left_out={reason: count for reason, count in left_out.items() if count},
        notes=tuple(notes),
    )


def _columns(table: Table, how: Reading) -> tuple[str, ...]:
    """The inputs beside the targets; raises UserError for columns that are not there."""
    table.check(how.time_column, "--time-column")
    for name in how.targets:
        table.check(name, "--target-column")
    for name in how.known:
        table.check(name, "--known-columns")
    if how.series_column is not None:
        table.check(how.series_column, "--series-column")
    if how.inputs is not None:
        for name in how.inputs:
            table.check(name, "--input-columns")
        return how.inputs
    taken = {how.time_column, how.series_column, *how.targets, *how.known}
    return tuple(n for n in table.names if n not in taken and table.is_numeric(n))


def _option(name: str, how: Reading) -> str:
    if name in how.targets:
        return "--target-column"
    return "--known-columns" if name in how.known else "--input-columns"


def _members(
    table: Table, how: Reading, values: NDArray[Any], moments: NDArray[Any], notes: list[str]
) -> Iterator[_Rows]:
    """The rows of each series, in order of time."""
    codes, names = np.zeros(len(moments), np.int64), [""]
    if how.series_column is not None:
        import pandas as pd

        column = table.frame[how.series_column]
        if column.isna().any():
            row = int(column.isna().to_numpy().argmax())
            raise UserError(
                f"{table.path}: row {row + 1:,} has no name in column {cut(how.series_column)!r}; "
                "remove such rows, or name another --series-column"
            )
        codes, found = pd.factorize(column.astype("str").str.strip(), sort=True)
        names = [str(name) for name in found]
    order = np.lexsort((moments, codes))
    if how.series_column is None and (np.diff(order) < 0).any():
        notes.append("rows are not in order of time: they are sorted")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    for number, name in enumerate(names):
        rows = order[bounds[number] : bounds[number + 1]]
        yield _Rows(name, values[rows], moments[rows], rows, np.zeros(len(rows), bool))


def _frequency(members: Sequence[_Rows], how: Reading, numbers: bool) -> Frequency:
    """As the user says, or that of the longest series."""
    if how.frequency is not None:
        return Frequency.of(how.frequency, numbers)
    longest = max(members, key=lambda each: len(each.times))
    different = np.unique(longest.times)
    if len(different) < 2:
        return Frequency("", 1.0) if numbers else Frequency("D")
    return Frequency.guessed(different)


def _check_duplicates(path: Path, rows: _Rows, how: Reading) -> None:
    same = np.flatnonzero(rows.times[1:] == rows.times[:-1])
    if not len(same):
        return
    one, two = sorted(rows.numbers[same[0] : same[0] + 2] + 1)
    more = f" ({len(same):,} such pairs)" if len(same) > 1 else ""
    hint = "" if how.series_column else ", or name the column of several series: --series-column"
    raise UserError(
        f"{path}: rows {one:,} and {two:,}{rows.of_series} have the same time "
        f"{one_shown(rows.times[same[0]])}{more}; remove one{hint}"
    )


def _cut_future(rows: _Rows, targets: int) -> int:
    """Leave out the rows at the end without any target; returns how many they are."""
    with_target = np.flatnonzero(~np.isnan(rows.values[:, :targets]).all(axis=1))
    last = int(with_target[-1]) + 1 if len(with_target) else len(rows.times)
    count = len(rows.times) - last
    rows.take(slice(0, last))
    return count


def _settle_gaps(path: Path, rows: _Rows, frequency: Frequency, how: Reading) -> int:
    """Put rows without values into gaps, or refuse them; returns how many were put."""
    if how.gaps == "ignore" or len(rows.times) < 2:
        return 0
    first, last = rows.times[0], rows.times[-1]
    step = frequency.seconds or (1e9 if frequency.offset else frequency.step)
    span = (last - first) / np.timedelta64(1, "s") if frequency.offset else last - first
    regular = span / step <= _LONG_GRID * len(rows.times) + 1000
    grid = frequency.grid(first, last) if regular else rows.times[:1]
    places = np.clip(np.searchsorted(grid, rows.times), 0, len(grid) - 1)
    if frequency.offset:
        off = grid[places] != rows.times
    else:
        places = np.clip(np.rint((rows.times - first) / step).astype(np.int64), 0, len(grid) - 1)
        off = np.abs(grid[places] - rows.times) > _CLOSE * step
    if off.any():
        at = int(off.argmax())
        raise UserError(
            f"{path}: row {rows.numbers[at] + 1:,}{rows.of_series}: {one_shown(rows.times[at])} is "
            f"not a whole number of steps of {frequency.text} after {one_shown(first)}; name the "
            "step with --frequency, or take the rows as equal steps with --gaps ignore"
        )
    missing = np.setdiff1d(np.arange(len(grid)), places)
    if not len(missing):
        return 0
    if how.gaps == "error":
        before = int(np.searchsorted(rows.times, grid[missing[0]])) - 1
        noun = "time is" if len(missing) == 1 else "times are"
        raise UserError(
            f"{path}: {len(missing):,} {noun} missing{rows.of_series} at steps of "
            f"{frequency.text}: the first is {one_shown(grid[missing[0]])}, after row "
            f"{rows.numbers[before] + 1:,}; --gaps fill puts rows there, --gaps ignore takes "
            "the rows as equal steps"
        )
    values = np.full((len(grid), rows.values.shape[1]), np.nan)
    numbers = np.full(len(grid), -1, np.int64)
    values[places], numbers[places] = rows.values, rows.numbers
    rows.values, rows.times, rows.numbers = values, grid, numbers
    rows.filled = numbers < 0
    return len(missing)


def _settle_missing(path: Path, rows: _Rows, names: Sequence[str], how: Reading) -> int:
    """Fill or leave out missing values, or refuse them; returns how many were filled."""
    wrong = np.isnan(rows.values)
    if how.future:  # what is not known in advance is not there yet
        with_target = np.flatnonzero(~wrong[:, : len(how.targets)].any(axis=1))
        last = int(with_target[-1]) + 1 if len(with_target) else len(wrong)
        wrong[last:, : len(names) - len(how.known)] = False
    in_file = wrong & ~rows.filled[:, None]
    if in_file.any() and how.missing == "error":
        row, column = (int(each[0]) for each in np.nonzero(in_file))
        total = int(in_file.sum())
        more = f" ({total:,} values are missing in all)" if total > 1 else ""
        raise UserError(
            f"{path}: row {rows.numbers[row] + 1:,}{rows.of_series} has no value in column "
            f"{cut(names[column])!r}{more}; --missing interpolate fills such values, --missing "
            "drop leaves such rows out"
        )
    if how.missing == "drop":
        left = np.asarray(in_file.any(axis=1))
        rows.left_out = int(left.sum())
        rows.take(~left)
        wrong = wrong[~left]
    at = np.arange(len(wrong))
    for column in np.flatnonzero(wrong.any(axis=0)).tolist():
        gone = wrong[:, column]
        kept = ~np.isnan(rows.values[:, column])
        if not kept.any():
            raise UserError(
                f"{path}: column {cut(names[column])!r}{rows.of_series} has no values; leave it out"
            )
        rows.values[gone, column] = np.interp(at[gone], at[kept], rows.values[kept, column])
    rows.filled = rows.filled | wrong.any(axis=1)
    return int((wrong & ~(rows.numbers < 0)[:, None]).sum())


def _said(filled: dict[str, int]) -> Iterator[str]:
    if filled["gaps"]:
        yield f"{counted(filled['gaps'], 'row')} put into gaps, with interpolated values"
    if filled["values"]:
        yield f"{counted(filled['values'], 'missing value')} filled by interpolation"
    if any(filled.values()):
        yield "no window ends at a filled row: its values know what follows"
