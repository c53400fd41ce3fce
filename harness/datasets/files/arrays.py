"""The arrays `x`, `y` and `lengths` of the user's .npz file; nothing is unpickled."""

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut, some
from harness.datasets.base import npy
from harness.datasets.base.memory import check_memory
from harness.datasets.files import json_sequences
from harness.datasets.files import lengths as of_lengths

LENGTHS = "lengths"  # the name of the array with the real length of each sequence
_NUMBER_MEMORY = 16  # bytes for each number, besides its own, while splits are standardised
_MOST = float(np.finfo(np.float32).max)


def read(path: Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None]:
    """`x`, `y` and, if it is there, `lengths`, as they are in the file; raises UserError."""
    found = _read(path, ("x", "y"), "--dataset")
    return found["x"], found["y"], found.get(LENGTHS)


def read_inputs(path: Path, x_column: str = "x") -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """Sequences that a model is to label: numbers (n, length, features), and their lengths.

    They are `x` and `lengths` of an .npz file, or the lists in a column of JSON Lines. The lengths
    are None where an .npz file has none. Raises UserError.
    """
    if path.suffix.lower() in json_sequences.SUFFIXES:
        x, _, lengths = json_sequences.read(path, x_column, None)
        return checked(path, x, lengths)
    found = _read(path, ("x",), "--data")
    return checked(path, found["x"], found.get(LENGTHS))


def checked(
    path: Path, x: NDArray[Any], lengths: NDArray[Any] | None
) -> tuple[NDArray[Any], NDArray[np.int64] | None]:
    """`x` as `sequences` checks it, with zeros as its padding, and `lengths`; raises UserError."""
    if lengths is None or x.ndim != 3 or 0 in x.shape or x.dtype.kind not in "fiub":
        return sequences(path, x), None
    known = of_lengths.checked(path, lengths, x)
    if not of_lengths.in_front(x, known):  # what is behind the real steps may be anything
        x = np.where((np.arange(x.shape[1]) < known[:, None])[..., None], x, 0)
    return sequences(path, x), known


def _read(path: Path, wanted: tuple[str, ...], option: str) -> dict[str, NDArray[Any]]:
    """The wanted arrays by name, and `lengths`, where the file has it."""
    if path.suffix.lower() != ".npz":
        raise UserError(
            f"{option} {path}: save it as .npz: numpy.savez('sequences.npz', "
            f"{', '.join(f'{name}={name}' for name in wanted)})"
        )
    if not os.path.isfile(path):
        raise UserError(f"{option} {path}: no such file")
    # Damaged zip files and headers raise errors of many kinds (struct, tokenize, zlib, …).
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            missing = [name for name in wanted if name not in names]
            if missing:
                raise UserError(
                    f"{path} has no array {missing[0]!r}; it has {some(names) or 'none'}"
                )
            optional = [LENGTHS] if LENGTHS in names else []
            return {name: _array(path, archive, name) for name in (*wanted, *optional)}
    except UserError:
        raise
    except Exception as error:
        told = cut(str(error) or type(error).__name__, 120)
        raise UserError(f"{path}: not an .npz file that can be read ({told})") from None


def _array(path: Path, archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    entry = npy.member(archive, name)
    with archive.open(entry) as file:
        header = npy.header(file, entry)
        if header.dtype.hasobject:
            raise UserError(
                f"{path}: {name} contains pickled objects, which are not opened: they may run "
                "code; save plain arrays, with shorter sequences filled up with zeros, and an "
                "array lengths with the real length of each"
            )
        numbers = header.size // max(1, header.dtype.itemsize)
        check_memory(path, header.size + _NUMBER_MEMORY * numbers)
        return npy.content(file, header)


def sequences(path: Path, x: NDArray[Any]) -> NDArray[Any]:
    """`x` (n, length, features) as numbers of this machine; raises UserError."""
    if x.ndim != 3 or 0 in x.shape:
        raise UserError(
            f"{path}: x has the shape {x.shape}; it needs (n, length, features)"
            + (", for example x[..., None] for one feature" if x.ndim == 2 else "")
        )
    if x.dtype.kind not in "fiub":
        raise UserError(f"{path}: x is of {cut(str(x.dtype))}; it needs plain numbers")
    if x.dtype.kind == "f" and x.dtype.itemsize > 8:
        x = x.astype(np.float64)
    x = x.astype(x.dtype.newbyteorder("="), copy=False)
    check_finite(path, "x", x)
    return x


def check_finite(path: Path, name: str, array: NDArray[Any]) -> None:
    """Raises UserError for values that are infinite, not a number, or too large for float32."""
    if array.dtype.kind != "f":
        return
    with np.errstate(invalid="ignore"):
        wrong = np.argwhere(~(np.abs(array) <= _MOST))
    if len(wrong):
        place = ", ".join(map(str, wrong[0].tolist()))
        raise UserError(
            f"{path}: {len(wrong):,} values of {name} are not finite, the first is "
            f"{name}[{place}]; remove or fill them"
        )


def exact(array: NDArray[Any]) -> bool:
    """Whether float32 has all of these numbers as they are."""
    with np.errstate(over="ignore"):
        return bool((array.astype(np.float32) == array).all())
