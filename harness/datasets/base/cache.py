"""The cache on disk: directories that are built once, checked before use, and repaired.

It is in `$HARNESS_CACHE`, or else where the system keeps caches. Each entry is a directory of plain
files and, written last, a marker with the size and SHA-256 of each file. An entry is renamed to its
final name when it is complete, so that no process sees an incomplete one. A file lock lets one
process build while the others wait.
"""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from harness.core.errors import UserError
from harness.core.lock import FileLock, LockHeldError

T = TypeVar("T")

_MARKER = "complete.json"
_WAIT_S = 5.0  # between two lines of a process that waits for another
_POLL_S = 0.05  # between two attempts to get the lock


def directory() -> Path:
    """The directory of the cache; it may not exist yet."""
    chosen = os.environ.get("HARNESS_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("rnn-depth-harness", appauthor=False))


def is_entry(path: Path) -> bool:
    """Whether a path is an entry of the cache, complete or damaged, and not something else."""
    return path.is_dir() and not path.is_symlink() and (path / _MARKER).is_file()


def cached(
    key: str,
    *,
    build: Callable[[], T],
    write: Callable[[T, Path], None],
    read: Callable[[Path], T],
    notify: Callable[[str], None],
) -> T:
    """What `read` returns for the entry `key`, which `build` and `write` make if necessary.

    `build` runs in one process at a time. If it raises an error, nothing is kept. Raises UserError
    if the cache can't be read or written.
    """
    entry = directory() / key
    with _needs_cache():
        fault = _fault(entry)
    if fault is None:
        return read(entry)
    with _locked(key, notify):
        with _needs_cache():
            fault = _fault(entry)  # another process may have built it meanwhile
        if fault is not None:
            if entry.exists():
                notify(f"the cache entry {entry} is damaged ({fault}): building it again")
            content = build()
            with _needs_cache():
                _commit(entry, content, write)
    return read(entry)


@contextmanager
def keeping(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` in the cache; renamed to it when the block succeeds.

    An OSError in the block counts as an error of the cache.
    """
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    with _needs_cache():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fault(entry: Path) -> str | None:
    """What is wrong with an entry, in words; None if it is complete."""
    try:
        files: dict[str, dict[str, object]] = json.loads((entry / _MARKER).read_bytes())["files"]
        for name, kept in files.items():
            # Sizes first: most damaged files are truncated, which shows without reading them.
            if (entry / name).stat().st_size != kept["bytes"]:
                return f"{name} has another size than was written"
        for name, kept in files.items():
            if sha256(entry / name) != kept["sha256"]:
                return f"{name} has changed"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (ValueError, TypeError, KeyError, AttributeError):
        return f"{_MARKER} is not readable"
    return None


def _commit(entry: Path, content: T, write: Callable[[T, Path], None]) -> None:
    """Write an entry under another name, marker last, and rename it. Needs the lock."""
    partial = entry.with_name(f".{entry.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a process that was killed
    try:
        partial.mkdir()
        write(content, partial)
        files = {
            path.relative_to(partial).as_posix(): {
                "bytes": path.stat().st_size,
                "sha256": sha256(path),
            }
            for path in sorted(partial.rglob("*"))
            if path.is_file()
        }
        # No fsync: after a power failure the hashes show what is lost, and it is built again.
        (partial / _MARKER).write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")
        if entry.exists():
            shutil.rmtree(entry)
        os.replace(partial, entry)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # give a full disk its space back
        raise


@contextmanager
def _locked(key: str, notify: Callable[[str], None]) -> Iterator[None]:
    """Keep the entry's lock during the block; wait for it, with a line every few seconds."""
    with _needs_cache():
        directory().mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory() / f".{key}.lock", mode=0o666)  # a group may share it
    with lock:
        with _needs_cache():
            _wait_for(lock, key, notify)
        yield
        lock.release()


def _wait_for(lock: FileLock, key: str, notify: Callable[[str], None]) -> None:
    next_line = time.monotonic()
    while True:
        try:
            lock.acquire()
        except LockHeldError:
            if time.monotonic() >= next_line:
                notify(f"another process is preparing {key}: waiting for it")
                next_line = time.monotonic() + _WAIT_S
            time.sleep(_POLL_S)
        else:
            return


@contextmanager
def _needs_cache() -> Iterator[None]:
    """Turn an OSError into one line that says how to solve the problem."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot use the dataset cache {directory()}: {error.strerror or error}; "
            "set HARNESS_CACHE to a writable directory with 200 MB free"
        ) from error
