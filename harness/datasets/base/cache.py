"""The cache on disk: whole directories, built once, checked before use, built again when damaged.

It lies in `$HARNESS_CACHE`, or else where the system keeps caches. Each entry is a directory of
plain files and, written last, a marker with the size and SHA-256 of every one of them. An entry
appears under its name in one rename, so that nobody sees half of one; a file lock lets one process
build while the others wait.
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
    """Where the cache is; the directory need not exist yet."""
    chosen = os.environ.get("HARNESS_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("rnn-depth-harness", appauthor=False))


def cached(
    key: str,
    *,
    build: Callable[[], T],
    write: Callable[[T, Path], None],
    read: Callable[[Path], T],
    notify: Callable[[str], None],
) -> T:
    """What `read` finds in the entry `key`, made by `build` and `write` where there is none yet.

    `build` runs in one process at a time and may raise what it likes; nothing is kept then.
    Raises UserError when the cache cannot be read or written.
    """
    entry = directory() / key
    with _needs_cache():
        fault = _fault(entry)
    if fault is None:
        return read(entry)
    with _locked(key, notify):
        with _needs_cache():
            fault = _fault(entry)  # whoever held the lock may have built it meanwhile
        if fault is not None:
            if entry.exists():
                notify(f"the cache entry {entry} is damaged ({fault}): building it again")
            content = build()
            with _needs_cache():
                _commit(entry, content, write)
    return read(entry)


@contextmanager
def keeping(target: Path) -> Iterator[Path]:
    """A temporary path beside `target` in the cache; moved onto it when the block succeeds.

    An OSError in the block is taken for the cache's.
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
    """What is wrong with an entry, in words; None when it is whole."""
    try:
        files: dict[str, dict[str, object]] = json.loads((entry / _MARKER).read_bytes())["files"]
        for name, kept in files.items():
            # Sizes first: the usual damage is a truncated file, and that needs no reading.
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
    """Write an entry beside its place, marker last, and move it there. The lock must be held."""
    partial = entry.with_name(f".{entry.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed while it wrote
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
        # No fsync: what a power failure loses, the hashes tell, and the source is still there.
        (partial / _MARKER).write_text(json.dumps({"files": files}, indent=1), encoding="utf-8")
        if entry.exists():
            shutil.rmtree(entry)
        os.replace(partial, entry)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # a full disk gets its space back
        raise


@contextmanager
def _locked(key: str, notify: Callable[[str], None]) -> Iterator[None]:
    """Keep the entry's lock during the block; wait for it, with a line every few seconds."""
    with _needs_cache():
        directory().mkdir(parents=True, exist_ok=True)
        lock = FileLock(directory() / f".{key}.lock")
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
    """Turn a refusal of the file system into one line that says how to mend it."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"cannot use the dataset cache {directory()}: {error.strerror or error}; "
            "set HARNESS_CACHE to a writable directory with 200 MB free"
        ) from error
