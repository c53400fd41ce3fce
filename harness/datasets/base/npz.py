"""Reviews from an .npz file in Keras's layout, read without running code in a pickle.

Keras stores lists of different lengths in arrays of objects, which NumPy stores as pickles. An
ordinary unpickler runs any code in a file. This one knows only the names that an array in a pickle
needs, and uses our own classes for them: NumPy's code for unpickling is never used. (Keras has a
similar reader, but it is private, and importing Keras is slow.)
"""

import io
import pickle
import pickletools
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base import npy
from harness.datasets.base.memory import check_memory
from harness.datasets.base.text import INDEX_FROM, Corpus

# Bytes of memory for each byte of an array. In a pickle, two bytes may be an empty list.
_PLAIN, _PICKLED = 8, 40
_REMEMBER = ("PUT", "BINPUT", "LONG_BINPUT")  # opcodes with a number for later use


def read_part(path: Path, part: str) -> Corpus:
    """`x_<part>` and `y_<part>` of a file in their order, with ranks as tokens, without words.

    Raises UserError unless they are lists of ranks, and classes 0 and 1.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            x = _member(archive, f"x_{part}")
            y = np.asarray(_member(archive, f"y_{part}"))
        return _corpus(x, y)
    # Reading a damaged zip file or pickle can raise almost any error, as the documentation of
    # pickle says. In each case the file can't be used.
    except UserError:
        raise
    except Exception as error:
        raise UserError(
            f"{path} does not contain reviews in Keras's layout: x_{part}, y_{part}: {_line(error)}"
        ) from error


def _line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:200]}…"


def _corpus(x: Any, y: NDArray[Any]) -> Corpus:
    if len(x) != len(y):
        raise ValueError(f"{len(x):,} reviews, but {len(y):,} labels")
    if not len(x):
        raise ValueError("no reviews")
    if y.ndim != 1 or not np.isin(y, (0, 1)).all():
        raise ValueError("labels other than 0 and 1")
    rows = [_ranks(row) for row in x]
    tokens = np.concatenate(rows)
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < 2**31 - 1 - INDEX_FROM:
        raise ValueError("word numbers that are negative or too large")
    return Corpus(
        tokens=tokens.astype(np.int32),
        offsets=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        labels=y.astype(np.int32),
        words=(),
    )


def _ranks(row: Any) -> NDArray[np.int64]:
    # Checked first: NumPy would multiply out lists that are nested and share their parts.
    if isinstance(row, list) and not all(isinstance(rank, int) for rank in row):
        raise ValueError("a review that is not a list of whole numbers")
    ranks = np.asarray(row)
    if ranks.ndim != 1 or (ranks.size and ranks.dtype.kind not in "iu"):
        raise ValueError("a review that is not a list of whole numbers")
    return ranks.astype(np.int64)


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    """One array; an array of objects is returned as a list."""
    entry = npy.member(archive, name)
    with archive.open(entry) as file:
        header = npy.header(file, entry)
        if not header.dtype.hasobject:
            check_memory(Path(str(archive.filename)), _PLAIN * header.size)
            return npy.content(file, header)
        check_memory(Path(str(archive.filename)), _PICKLED * header.size)
        return _unpickled(file.read())


def _unpickled(pickled: bytes) -> Any:
    _check_opcodes(pickled)
    array = _Unpickler(io.BytesIO(pickled)).load()
    if not isinstance(array, _Array):
        raise pickle.UnpicklingError("the pickle is not an array")
    return _resolved(array)


def _check_opcodes(pickled: bytes) -> None:
    """Raise UnpicklingError where a few bytes would take much memory.

    Python reserves as many places as the highest number under which an object is remembered.
    Lengths that are greater than what follows are found by the reading itself.
    """
    for opcode, argument, _ in pickletools.genops(pickled):
        if opcode.name in _REMEMBER and int(argument or 0) > len(pickled):
            raise pickle.UnpicklingError("the pickle remembers more objects than it has bytes")


def _resolved(value: Any) -> Any:
    """Replace `_Array` objects in lists (of reviews, and of ranks) by their contents."""
    if isinstance(value, _Array):
        value = value.content
    if isinstance(value, list):
        return [_resolved(item) if isinstance(item, _Array) else item for item in value]
    return value


class _Dtype:
    """A dtype as NumPy pickles it: a code such as "O8" or "i8", then a state with byte order."""

    def __init__(self, code: str, align: bool = False, copy: bool = False) -> None:
        if not re.fullmatch(r"[|<>=]?[Oiub][1248]", str(code)):
            raise pickle.UnpicklingError(f"an array of {cut(str(code))}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array as NumPy pickles it: shape, dtype, memory order, and content."""

    content: Any = None

    def __setstate__(self, state: tuple[int, tuple[int, ...], _Dtype, bool, Any]) -> None:
        _, shape, dtype, fortran, data = state
        if isinstance(data, list):
            # If all rows have one length, NumPy stores a table of objects, not a list of lists.
            self.content = _ranks(data).reshape(shape) if len(shape) > 1 else data
        else:
            flat = np.frombuffer(data, dtype.dtype)
            self.content = flat.reshape(shape, order="F" if fortran else "C")


def _reconstruct(kind: type, shape: tuple[int, ...], code: bytes) -> _Array:
    return _Array()


def _scalar(dtype: _Dtype, data: bytes) -> int:
    return int(np.frombuffer(data, dtype.dtype)[0])


def _encode(text: str, encoding: str) -> bytes:
    """Bytes, as pickles of protocol 2 write them."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes in {encoding}")
    return text.encode("latin1")


_KNOWN: dict[str, Callable[..., Any]] = {
    "numpy.ndarray": _Array,
    "numpy.dtype": _Dtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "_codecs.encode": _encode,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        try:
            return _KNOWN[f"{module}.{name}"]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which data never needs; nothing was executed"
            ) from None
