"""Files that are written completely or not at all, and JSON."""

import contextlib
import errno
import hashlib
import json
import math
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.core.shapes import mismatch

SEAL = "sha256"  # the key of a record's own hash
_TEMPORARY = re.compile(r"\..+\.(\d+)\.tmp(\.keras)?")


def now() -> str:
    """The time as ISO 8601 in UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write so that readers, even after a crash, see the old or the new content, never a part."""
    if isinstance(content, str):
        # Half a character (in a file name that is not text) is written as an escape.
        content = content.encode("utf-8", errors="backslashreplace")
    with replacing(path) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def replacing(path: Path, suffix: str = "") -> Iterator[Path]:
    """A temporary file for the block to write, which then takes the place of `path`.

    When the block ends, the content is on the disk, and so is its name. `suffix` is for programs
    that insist on one. Folders that are missing are made, and temporary files of dead processes go.
    Raises OSError where `path` is a directory, a device or the like: they are not replaced.
    """
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "is no file that could be replaced", str(path))
    make_folder(path.parent)
    remove_litter(path.parent, deep=False)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{suffix}")
    try:
        yield temporary
        sync(temporary)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, with their names on the disk; raises OSError."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync(folder.parent)


def rename(old: Path, new: Path) -> None:
    """Rename within a folder, with the new name on the disk."""
    old.rename(new)
    sync(new.parent)


def move_aside(path: Path, names: Iterable[str]) -> Path:
    """Rename to the first of `names` that is free in the same folder, and return the new path."""
    aside = next(free for name in names if not (free := path.with_name(name)).exists())
    rename(path, aside)
    return aside


def sync(path: Path) -> None:
    """Wait until a file's content, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():  # some file systems can't do it for folders
            raise
    finally:
        os.close(descriptor)


def remove_litter(folder: Path, *, deep: bool = True) -> None:
    """Remove temporary files that processes of this machine have left when they were killed."""
    import psutil  # takes longer than all the rest of this module

    for file in folder.rglob(".*") if deep else folder.glob(".*"):
        match = _TEMPORARY.fullmatch(file.name)
        if match and not file.is_dir() and not psutil.pid_exists(int(match[1])):
            file.unlink(missing_ok=True)


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


def parse_object(text: str | bytes) -> dict[str, Any] | None:
    """The JSON object that a text is; None for anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # brackets without end
        return None
    return found if isinstance(found, dict) else None


def read_object(file: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None if it is missing, damaged or not an object."""
    try:
        return parse_object(file.read_bytes())
    except OSError:
        return None


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with its own hash, which shows later whether it is as it was written."""
    plain = {key: value for key, value in _plain(record).items() if key != SEAL}
    return {**plain, SEAL: _hash_of(plain)}


def is_intact(record: Mapping[str, Any]) -> bool:
    """Whether a record is as it was sealed; True for records of versions that sealed none."""
    return SEAL not in record or record[SEAL] == _hash_of(record)


def fault(record: Mapping[str, Any] | None, shape: Mapping[str, Any]) -> str | None:
    """What is wrong with a record that was sealed, in words; None where it is as it was written.

    `record` is what `parse_object` gave, and `shape` is as in `harness.core.shapes`.
    """
    if record is None:
        return "it is not a JSON object"
    wrong = mismatch(record, shape)
    return wrong or (None if is_intact(record) else "it has changed since it was written")


def _hash_of(record: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in record.items() if key != SEAL}
    # Half a character, as in a file name that is not text, is on file as an escape.
    text = json.dumps(rest, sort_keys=True).encode("utf-8", errors="backslashreplace")
    return hashlib.sha256(text).hexdigest()


def hash_of_file(file: Path) -> str:
    """The SHA-256 of a file's content; raises OSError."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
