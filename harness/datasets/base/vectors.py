"""Vectors of words from a text file, as GloVe and word2vec write them.

Each line has a word and its numbers. A first line with two whole numbers is word2vec's heading: how
many words, and how many numbers each. Files may be compressed with gzip.
"""

import functools
import gzip
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.files import hash_of_file
from harness.core.text import cut
from harness.datasets.base import cache
from harness.datasets.base.text import INDEX_FROM

_VERSION = 1  # of reading files; with a new number, they are read again
_LONGEST = 1 << 20  # bytes of a line
_KIND = "not a text file of vectors, which has a word and its numbers on each line"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, eq=False)
class Vectors:
    """`values` (k, dim), float32, are the vectors of the words with the ids `ids` (k,)."""

    ids: NDArray[np.int64]
    values: NDArray[np.float32]


def dimension(path: str) -> int:
    """How many numbers a word has; raises UserError for a file that can't be used."""
    return _dimension(path, *_state(path))


def sha256(path: str) -> str:
    """The SHA-256 of a file's content, in hex; raises UserError without a file."""
    return _sha256(path, *_state(path))


def lookup(path: str, words: Sequence[str]) -> Vectors:
    """The vectors of a vocabulary, `words` by id; a word that has none gets that in lower case.

    They are kept in the cache. Raises UserError, which names the line, for what can't be read.
    """
    return _lookup(path, tuple(words), *_state(path))


def _state(path: str) -> tuple[float, int]:
    """What differs for a file that was written again: its time and its size."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        found = None
    if found is None or not os.path.isfile(path):
        raise UserError(f"pretrained: {path}: no such file")
    return found.st_mtime, found.st_size


@functools.lru_cache(maxsize=16)
def _sha256(path: str, *state: float) -> str:
    with _readable(path):
        return str(hash_of_file(Path(path)))


@functools.lru_cache(maxsize=16)
def _dimension(path: str, *state: float) -> int:
    with _readable(path), _opened(path) as file:
        return _first(path, file)[0]


@functools.lru_cache(maxsize=4)
def _lookup(path: str, words: tuple[str, ...], *state: float) -> Vectors:
    digest = hashlib.sha256(f"{_VERSION} {sha256(path)}\n".encode())
    for word in words:
        digest.update(f"{word}\n".encode("utf-8", "surrogatepass"))
    return cache.cached(
        f"vectors-{digest.hexdigest()[:16]}",
        build=lambda: _found(path, words),
        write=_save,
        read=_open,
        notify=lambda line: None,
    )


def _found(path: str, words: Sequence[str]) -> Vectors:
    """The vectors of the words from `INDEX_FROM` on: those before are marks."""
    spelled = {number: word for number, word in enumerate(words) if number > INDEX_FROM}
    wanted = {each.encode("utf-8", "surrogatepass") for each in spelled.values()}
    wanted |= {each.lower().encode("utf-8", "surrogatepass") for each in spelled.values()}
    of_word: dict[bytes, NDArray[np.float32]] = {}
    with _readable(path), _opened(path) as file:
        dim, begin = _first(path, file)
        file.seek(0)
        for number, line in enumerate(file, start=1):
            word = line[: _end(line)]
            if number >= begin and word in wanted and word not in of_word:
                of_word[word] = _numbers(path, number, line, dim)
    ids, values = [], []
    for number, text in spelled.items():
        for each in (text, text.lower()):
            vector = of_word.get(each.encode("utf-8", "surrogatepass"))
            if vector is not None:
                ids.append(number)
                values.append(vector)
                break
    return Vectors(np.array(ids, np.int64), np.array(values, np.float32).reshape(-1, dim))


def _first(path: str, file: IO[bytes]) -> tuple[int, int]:
    """How many numbers a word has, and the number of the first line with a word."""
    line = file.readline(_LONGEST)
    heading = line.split()
    number = 1
    if len(heading) == 2 and all(each.isdigit() for each in heading):
        line, number = file.readline(_LONGEST), 2
        dim = int(heading[1])
    else:
        dim = len(heading) - 1
    if dim < 1:
        raise UserError(f"pretrained: {path}: {_KIND}")
    _numbers(path, number, line, dim)
    return dim, number


def _end(line: bytes) -> int:
    """Where the word of a line ends: at the first blank or tab."""
    ends = [at for at in (line.find(b" "), line.find(b"\t")) if at >= 0]
    return min(ends, default=len(line))


def _numbers(path: str, number: int, line: bytes, dim: int) -> NDArray[np.float32]:
    parts = line[_end(line) :].split()
    where = f"pretrained: {path}: line {number:,}"
    try:
        found = np.array([float(part) for part in parts], np.float32)
    except (ValueError, OverflowError):
        raise UserError(f"{where} is {cut(repr(line[:40]), 60)}: {_KIND}") from None
    if len(found) != dim:
        raise UserError(f"{where} has {len(found):,} numbers, others have {dim:,}; mend the file")
    if not np.isfinite(found).all():
        raise UserError(f"{where} has a number that is not finite; mend the file")
    return found


@contextmanager
def _opened(path: str) -> Iterator[Any]:
    with open(path, "rb") as file:
        packed = file.read(2) == _GZIP
        file.seek(0)
        if not packed:
            yield file
            return
        with gzip.GzipFile(fileobj=file) as unpacked:
            yield unpacked


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """What can't be read in the block, or unpacked, is the fault of the file."""
    import zlib

    try:
        yield
    except (OSError, EOFError, zlib.error) as error:
        told = getattr(error, "strerror", None) or cut(str(error), 80)
        raise UserError(f"pretrained: {path} can't be read ({told})") from None


def _save(found: Vectors, directory: Path) -> None:
    np.save(directory / "ids.npy", found.ids, allow_pickle=False)
    np.save(directory / "values.npy", found.values, allow_pickle=False)


def _open(directory: Path) -> Vectors:
    ids, values = (
        np.load(directory / f"{name}.npy", allow_pickle=False) for name in ("ids", "values")
    )
    return Vectors(ids, values)
