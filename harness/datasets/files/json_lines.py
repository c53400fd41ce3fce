"""JSON Lines: an object on each line."""

import json
from pathlib import Path

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base.memory import check_memory
from harness.datasets.files.decoding import decoded, lines
from harness.datasets.files.labels import trim
from harness.datasets.files.rows import NO_LABEL, Rows, Source, check_columns

_LONG = 1 << 20  # characters of a line
_NESTED_MEMORY = 30  # bytes for each character of a line, which may be a list of empty lists
_LISTS = "texts that are lists of tokens are joined with blanks"


def read(path: Path, raw: bytes, source: Source) -> Rows:
    """The rows of a JSON Lines file; raises UserError that names the line."""
    text = decoded(path, raw, source.encoding)
    rows = Rows(unit="line", encoding=text.encoding, notes=[text.note] if text.note else [])
    for number, line in enumerate(lines(text.text), start=1):
        if not line.strip():
            rows.left_out["blank lines"] += 1
            continue
        where = f"line {number:,}"
        if len(line) > _LONG:
            check_memory(path, _NESTED_MEMORY * len(line))
        try:
            found = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}: {where} is not JSON ({cut(str(error), 80)})") from None
        if not isinstance(found, dict):
            raise UserError(
                f"{path}: {where} is not a JSON object; write each row as an object on a line of "
                "its own"
            )
        names = [trim(name) for name in found]
        columns = check_columns(path, names, source, at=f": {where}")
        cells = list(found.values())
        label = NO_LABEL if source.label_column is None else cells[columns[1]]
        try:
            rows.add(cells[columns[0]], label, number)
        except ValueError as error:
            raise UserError(f"{path}: {where}: {error}") from None
    if rows.lists:
        rows.notes.append(_LISTS)
    return rows
