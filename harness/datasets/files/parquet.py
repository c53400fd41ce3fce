"""Parquet: two columns, read in batches within the free memory."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base.memory import check_memory, free
from harness.datasets.files.labels import trim
from harness.datasets.files.rows import (
    BYTE_MEMORY,
    NO_LABEL,
    ROW_MEMORY,
    Rows,
    Source,
    check_columns,
)

_MOST_ROWS = 4096  # of a batch


def read(path: Path, raw: bytes, source: Source) -> Rows:
    """The rows of a Parquet file.

    Raises UserError where it is damaged, its columns are of other kinds, or its texts are larger
    than the free memory: a few bytes may stand for many rows of one long text.
    """
    if source.encoding is not None:
        raise UserError("--encoding: Parquet files say their encoding themselves; leave it out")
    try:
        import pyarrow.parquet
    except ImportError:
        raise UserError(f"{path}: reading Parquet needs pyarrow; pip install pyarrow") from None
    # Arrow raises errors of many kinds for damaged files, also when it makes Python's values.
    try:
        return _rows(path, pyarrow.parquet.ParquetFile(io.BytesIO(raw)), source)
    except UserError:
        raise
    except Exception as error:
        told = cut(str(error) or type(error).__name__, 120)
        raise UserError(f"{path}: not a Parquet file that can be read ({told})") from None


def _rows(path: Path, file: Any, source: Source) -> Rows:
    names = file.schema_arrow.names
    found = check_columns(path, [trim(name) for name in names], source, numbers=_only_numbers(file))
    columns = [names[at] for at in dict.fromkeys(found)]
    _check_types(path, file.schema_arrow, columns)
    available, size = free(), 0
    check_memory(path, file.metadata.num_rows * ROW_MEMORY, available)
    rows = Rows()
    for number, (text, *labels) in enumerate(_cells(file, columns, available), start=1):
        label = labels[0] if labels else NO_LABEL
        size += sum(map(len, text)) if isinstance(text, list) and None not in text else 0
        size += len(text) if isinstance(text, str) else 0
        if number % _MOST_ROWS == 0:
            check_memory(path, size * BYTE_MEMORY, available)
        try:
            rows.add(text, label, number)
        except ValueError as error:
            raise UserError(f"{path}: row {number:,}: {error}") from None
    check_memory(path, size * BYTE_MEMORY, available)
    if rows.lists:
        rows.notes.append("texts that are lists of tokens are joined with blanks")
    return rows


def _cells(file: Any, columns: list[str], available: int) -> Iterator[tuple[Any, ...]]:
    """Text and label of each row, or its text alone.

    No value is larger than its column is without compression, so a batch is at most a quarter of
    the memory.
    """
    groups = (file.metadata.row_group(each) for each in range(file.metadata.num_row_groups))
    largest = max((group.total_byte_size for group in groups), default=0)
    at_once = max(1, min(_MOST_ROWS, available // 4 // max(1, largest)))
    for batch in file.iter_batches(at_once, columns=columns, use_threads=False):
        cells = (
            map(_plain, batch.column(batch.schema.get_field_index(name)).to_pylist())
            for name in columns
        )
        yield from zip(*cells, strict=True)


def _plain(cell: object) -> object:
    """Bytes are texts without a mark that says so; decimal numbers are labels like others."""
    if isinstance(cell, bytes):
        return cell.decode("utf-8")
    return str(cell) if isinstance(cell, Decimal) else cell


def _only_numbers(file: Any) -> bool:
    from pyarrow import types

    kinds = file.schema_arrow.types
    numbers = [kind for kind in kinds if types.is_floating(kind) or types.is_integer(kind)]
    return bool(numbers) and len(numbers) + sum(map(types.is_temporal, kinds)) == len(kinds)


def _check_types(path: Path, schema: Any, columns: list[str]) -> None:
    """Raises UserError for columns, such as dates, that are neither texts nor labels."""
    from pyarrow import types

    for kind, name in zip(("texts", "labels"), columns, strict=False):
        found = schema.field(name).type
        value = found.value_type if types.is_dictionary(found) or _is_list(found) else found
        text = any(is_text(value) for is_text in (
            types.is_string, types.is_large_string, types.is_string_view, types.is_binary,
            types.is_large_binary,
        ))  # fmt: skip
        number = any(is_number(value) for is_number in (
            types.is_integer, types.is_floating, types.is_boolean, types.is_decimal,
        ))  # fmt: skip
        if not (text or (kind == "labels" and number)):
            option = kind.removesuffix("s")
            raise UserError(
                f"{path}: column {cut(name)!r} is of {cut(str(found))}, not {kind}; name another "
                f"with --{option}-column"
            )


def _is_list(kind: Any) -> bool:
    from pyarrow import types

    return bool(types.is_list(kind) or types.is_large_list(kind))
