"""Tables of the user's as columns: CSV, TSV, JSON Lines, Parquet."""

import csv
import io
import json
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut, some
from harness.datasets.base.memory import check_memory
from harness.datasets.files.decoding import UTF8, decoded, lines
from harness.datasets.files.labels import trim

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_BYTE_MEMORY = 6  # bytes for each byte of a table while it is read
_LONGEST = 1e150  # larger numbers have no variance in double precision


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a table, rows in the order of the file; `notes` say how it was read."""

    path: Path
    frame: "pd.DataFrame"
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.frame.columns]

    def check(self, name: str, option: str) -> None:
        """Raises UserError unless the table has the column."""
        if name not in self.names:
            raise UserError(
                f"{self.path} has no column {cut(name)!r}; it has {some(self.names) or 'none'}: "
                f"name one with {option}"
            )

    def is_numeric(self, name: str) -> bool:
        """Whether a column has numbers, or true and false."""
        kind = self.frame[name].dtype
        return bool(getattr(kind, "kind", "O") in "iufb")

    def numbers(self, name: str, option: str) -> NDArray[np.float64]:
        """A column as numbers, NaN where it has none; raises UserError for anything else."""
        import pandas as pd

        column = self.frame[name]
        if self.is_numeric(name):
            found = column.to_numpy(np.float64, na_value=np.nan)
        else:
            found = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
            text = column.astype("str").str.strip()
            wrong = np.isnan(found) & column.notna().to_numpy() & (text != "").to_numpy()
            if wrong.any():
                row = int(wrong.argmax())
                raise UserError(
                    f"{self.path}: row {row + 1:,}: {cut(str(column.iloc[row]))!r} in column "
                    f"{cut(name)!r} is not a number; mend it, or name other columns with {option}"
                )
        with np.errstate(invalid="ignore"):
            large = np.abs(found) > _LONGEST
        if large.any():
            row = int(large.argmax())
            raise UserError(
                f"{self.path}: row {row + 1:,}: {found[row]:g} in column {cut(name)!r} is infinite "
                "or too large; remove or mend it"
            )
        return np.asarray(found, np.float64)


def read(path: Path, raw: bytes, encoding: str | None, texts: Sequence[str]) -> Table:
    """All columns of a file's bytes; those in `texts` stay as they are written.

    Raises UserError where it is damaged, or names a column twice.
    """
    check_memory(path, _BYTE_MEMORY * len(raw))
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        if encoding is not None:
            raise UserError("--encoding: Parquet files say their encoding themselves; leave it out")
        return _parquet(path, raw)
    if suffix in (".jsonl", ".ndjson"):
        return _json_lines(path, raw, encoding)
    return _separated(path, raw, encoding, texts)


def _separated(path: Path, raw: bytes, encoding: str | None, texts: Sequence[str]) -> Table:
    import pandas as pd

    text = decoded(path, raw, encoding)
    notes = [text.note] if text.note else []
    heading = next((line for line in lines(text.text) if line.strip()), "")
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    delimiter = _delimiter(heading, usual)
    code = "utf-8-sig" if text.encoding == UTF8 else text.encoding
    del text  # a second copy of a large file
    if delimiter != usual:
        notes.append(f"cells are separated by {_DELIMITERS[delimiter]}")
    cells = next(csv.reader([heading], delimiter=delimiter, skipinitialspace=True), [])
    names = [trim(cell) for cell in cells]
    if not any(names):
        raise UserError(f"{path} has no heading: its first line names the columns")
    _check_once(path, [name for name in names if name])
    names = [name or f"column {number}" for number, name in enumerate(names, start=1)]
    given: dict[str, Any] = {
        "sep": delimiter, "encoding": code, "header": 0, "names": names, "index_col": False,
        "skipinitialspace": True, "low_memory": False, "skip_blank_lines": True,
        "dtype": dict.fromkeys((name for name in texts if name in names), "str"),
    }  # fmt: skip
    # A wrong number of cells, quotes that do not pair, bytes that are no text, …
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(io.BytesIO(raw), **given)
            if delimiter != "," and _has_decimal_commas(frame, texts):
                frame = pd.read_csv(io.BytesIO(raw), **given, decimal=",")
                notes.append("numbers have decimal commas")
    except (ValueError, pd.errors.ParserWarning, csv.Error) as error:
        told = cut(" ".join(str(error).replace("Error tokenizing data. C error:", "").split()), 120)
        raise UserError(f"{path}: not a table that can be read ({told}); mend that line") from None
    empty = [
        name for name in frame.columns if name.startswith("column ") and frame[name].isna().all()
    ]
    return Table(path, frame.drop(columns=empty), tuple(notes))


def _delimiter(heading: str, usual: str) -> str:
    return usual if usual in heading else max((usual, *_DELIMITERS), key=heading.count)


def _has_decimal_commas(frame: "pd.DataFrame", texts: Sequence[str]) -> bool:
    """Whether a column of texts has nothing but numbers with commas."""
    for name in frame.columns:
        if name in texts or getattr(frame[name].dtype, "kind", "O") in "iufb":
            continue
        found = frame[name].dropna().astype("str").str.strip()
        if len(found) and found.str.fullmatch(r"[+-]?\d+(,\d+)?").all():
            return True
    return False


def _check_once(path: Path, names: Sequence[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise UserError(f"{path} has several columns {cut(twice[0])!r}; rename all but one")


def _json_lines(path: Path, raw: bytes, encoding: str | None) -> Table:
    import pandas as pd

    text = decoded(path, raw, encoding)
    rows = []
    for number, line in enumerate(lines(text.text), start=1):
        if not line.strip():
            continue
        where = f"line {number:,}"
        try:
            found = json.loads(line, object_pairs_hook=list)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: {where} is not JSON ({cut(str(error), 80)})") from None
        if not isinstance(found, list) or any(not isinstance(each, tuple) for each in found):
            raise UserError(f"{path}: {where} is not a JSON object; write each row as one")
        names = [trim(name) for name, _ in found]
        _check_once(path, names)
        rows.append(dict(zip(names, (value for _, value in found), strict=True)))
    if not rows:
        raise UserError(f"{path} has no rows")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    frame = pd.DataFrame({name: [row.get(name) for row in rows] for name in columns})
    return Table(path, frame, (text.note,) if text.note else ())


def _parquet(path: Path, raw: bytes) -> Table:
    try:
        import pyarrow.parquet
    except ImportError:
        raise UserError(f"{path}: reading Parquet needs pyarrow; pip install pyarrow") from None
    # Arrow raises errors of many kinds for damaged files.
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(raw))
        _check_once(path, [trim(name) for name in file.schema_arrow.names])
        groups = (file.metadata.row_group(each) for each in range(file.metadata.num_row_groups))
        check_memory(path, 3 * sum(group.total_byte_size for group in groups))
        check_memory(path, 8 * file.metadata.num_rows * len(file.schema_arrow.names))
        frame = file.read(use_threads=False).to_pandas(ignore_metadata=True)
    except UserError:
        raise
    except Exception as error:
        told = cut(str(error) or type(error).__name__, 120)
        raise UserError(f"{path}: not a Parquet file that can be read ({told})") from None
    return Table(path, frame.set_axis([trim(str(name)) for name in frame.columns], axis=1))
