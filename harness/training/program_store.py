"""Compiled programs on disk, so that a machine compiles each shape of network once.

The store is `programs-UID` in the cache directory (`$HARNESS_CACHE`), or the folder that
`$HARNESS_COMPILE_CACHE` names; the word `off` there keeps no programs. It belongs to its user and
is readable by nobody else, because loading a file runs the machine code in it. Each kind of machine
has a folder of its own in it: the name is a hash of the processor, the versions, the flags of the
compiler, and this package's code, so a file is never loaded where it was not made for. A file
holds one program with its SHA-256. It is written whole or not at all, and a damaged one is removed.
When the store is full, what was not used for longest goes first. JAX keeps its programs in folders
of its own beside these (`harness.training.jax_cache`). No TensorFlow here.
"""

import contextlib
import hashlib
import io
import os
import platform
import stat
import zipfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from harness.core import files
from harness.core.environment import COMPILE_CACHE, available_cpus, cpu_features, cpu_model
from harness.datasets.base import cache

LIMIT = 512 * 2**20  # bytes of all programs of a user
SUFFIX = ".program"
JAX_SUFFIX, _JAX_TIME = "-cache", "-atime"  # of JAX's own files: see harness.training.jax_cache
OFF = ("off", "0", "no", "false")
_DIGEST = hashlib.sha256().digest_size
# What decides the code that the compiler makes, beside the program itself.
_VARIABLES = ("XLA_FLAGS", "TF_XLA_FLAGS", "TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")


def root() -> Path:
    """The folder of this user's programs; it may not exist yet."""
    chosen = os.environ.get(COMPILE_CACHE)
    if chosen and not switched_off():
        return Path(chosen).expanduser()
    return cache.directory() / f"programs-{os.getuid()}"


def switched_off() -> bool:
    return os.environ.get(COMPILE_CACHE, "").lower() in OFF


class ProgramStore:
    """The programs of one kind of machine, by key. Nothing here raises an error of the disk.

    A store that can't be used (`fault` says why) holds nothing and keeps nothing.
    """

    def __init__(self, folder: Path, machine: str, limit: int = LIMIT) -> None:
        self._top, self._folder, self._limit = folder, folder / machine, limit
        self.fault = _fault(folder)

    def load(self, key: str) -> dict[str, bytes] | None:
        """The parts of a program by name; None if there is none, or it is damaged."""
        if self.fault:
            return None
        file = self._file(key)
        try:
            content = file.read_bytes()
            if hashlib.sha256(content[_DIGEST:]).digest() != content[:_DIGEST]:
                raise ValueError("another hash")
            with zipfile.ZipFile(io.BytesIO(content[_DIGEST:])) as archive:
                parts = {name: archive.read(name) for name in archive.namelist()}
            os.utime(file)  # used just now
        except FileNotFoundError:
            return None
        except (OSError, ValueError, zipfile.BadZipFile):
            self.discard(key)
            return None
        return parts

    def save(self, key: str, parts: Mapping[str, bytes]) -> None:
        """Keep a program; where the disk is full or read-only, nothing is kept."""
        if self.fault:
            return
        body = io.BytesIO()
        with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        content = hashlib.sha256(body.getvalue()).digest() + body.getvalue()
        with contextlib.suppress(OSError):
            self._top.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self.fault = _fault(self._top)
            if not self.fault:
                files.write_atomically(self._file(key), content)
                self._file(key).chmod(0o600)
                trim(self._top, self._limit)

    def discard(self, key: str) -> None:
        with contextlib.suppress(OSError):
            self._file(key).unlink()

    def _file(self, key: str) -> Path:
        return self._folder / f"{key}{SUFFIX}"


def trim(folder: Path, limit: int) -> None:
    """Remove the programs that were not used for longest, until all take at most `limit` bytes."""
    found = sorted(programs(folder), reverse=True)
    total = 0
    for _, size, file in found:
        total += size
        if total > limit:
            with contextlib.suppress(OSError):
                file.unlink()
                if file.name.endswith(JAX_SUFFIX):
                    time_file(file).unlink()


def programs(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Each program of a store: when it was last used, its bytes, its file."""
    for pattern in (f"*/*{SUFFIX}", f"*/*{JAX_SUFFIX}"):
        for file in folder.glob(pattern):
            with contextlib.suppress(OSError):  # another process removed it
                used = file if file.suffix == SUFFIX else time_file(file)
                yield used.stat().st_mtime, file.stat().st_size, file


def time_file(file: Path) -> Path:
    """The file that JAX writes when it uses a program."""
    return file.with_name(file.name.removesuffix(JAX_SUFFIX) + _JAX_TIME)


def clear(folder: Path) -> None:
    """Remove all programs, and what processes that died left behind."""
    for place in folder.glob("*"):
        if place.is_dir() and not place.is_symlink():
            for file in place.iterdir():
                if file.name.endswith((SUFFIX, ".tmp", JAX_SUFFIX, _JAX_TIME, ".lockfile")):
                    file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                place.rmdir()


def store() -> ProgramStore | None:
    """The store of this machine and these versions; None where it is switched off."""
    return None if switched_off() else ProgramStore(root(), machine())


def folder(*packages: str) -> tuple[Path, str | None]:
    """A folder of this user's programs for these packages, and why it can't be used, or None."""
    top = root()
    place = top / machine(*packages)
    try:
        top.mkdir(mode=0o700, parents=True, exist_ok=True)
        fault = _fault(top)
        if fault is None:
            place.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        fault = f"{place}: {error.strerror}"
    return place, fault


@lru_cache
def machine(*packages: str) -> str:
    """A name for this processor, these versions, flags and this code, 24 hexadecimal digits.

    `packages` compile the programs; TensorFlow where none are given.
    """
    parts = [
        platform.machine(),
        platform.python_version(),
        cpu_model(),
        cpu_features(),
        len(available_cpus()),
        [version(package) for package in (*(packages or ("tensorflow",)), "keras", "numpy")],
        [os.environ.get(name, "") for name in _VARIABLES],
        _code(),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def _code() -> str:
    """A hash of the code that makes networks: other code may trace the same shape otherwise."""
    package = Path(__file__).parent
    found = hashlib.sha256()
    for file in sorted(package.rglob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()


def _fault(folder: Path) -> str | None:
    """Why a folder's programs are not to be trusted or can't be kept, or None."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"{folder}: {error.strerror}"
    if not stat.S_ISDIR(status.st_mode):
        return f"{folder} is no folder"
    if status.st_uid != os.getuid():
        return f"{folder} belongs to another user"
    if status.st_mode & 0o077:
        return f"{folder} is open to other users; chmod 700 {folder}"
    return None
