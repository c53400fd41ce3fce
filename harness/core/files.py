"""Files that are written completely or not at all, and JSON."""

import json
import math
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write so that readers, even after a crash, see the old or the new content, never a part."""
    if isinstance(content, str):
        # Half a character (in a file name that is not text) is written as an escape.
        content = content.encode("utf-8", errors="backslashreplace")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def to_json(value: Any, *, indent: int | None = 1) -> str:
    """JSON, with null for what JSON does not have (NaN, infinities); keys keep their order."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def read_object(file: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if it is missing, damaged or not an object."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
