"""Plain arrays of .npz files: headers are checked against the file's size before anything is read.

`numpy.load` would first reserve the memory for whatever shape a header names.
"""

import math
import warnings
import zipfile
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # NumPy writes no others


@dataclass(frozen=True)
class Header:
    """What an .npy file says of itself, and the bytes that follow."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    size: int


def member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    """The entry of the array `name`; raises ValueError if it is compressed in an unusual way."""
    found = archive.getinfo(f"{name}.npy")
    if found.compress_type not in _METHODS:
        raise ValueError(f"{name}.npy is compressed by a method that NumPy does not use")
    return found


def header(file: IO[bytes], entry: zipfile.ZipInfo) -> Header:
    """The header of an opened entry, whose content follows in `file`.

    Raises ValueError for what is no .npy file, other errors for some damaged ones.
    """
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"unknown version {version} of the .npy format")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that Python 2 wrote the file
        shape, fortran, dtype = _HEADERS[version](file)
    return Header(shape, fortran, dtype, entry.file_size - file.tell())


def content(file: IO[bytes], of: Header) -> NDArray[Any]:
    """The array after a header; raises ValueError where the shape does not fit the bytes."""
    if min(of.shape, default=0) < 0 or math.prod(of.shape) * of.dtype.itemsize != of.size:
        raise ValueError(f"{of.size:,} bytes are not an array of {of.dtype} of shape {of.shape}")
    if not of.size:
        return np.zeros(of.shape, of.dtype)
    flat = np.frombuffer(file.read(), of.dtype)
    return flat.reshape(of.shape, order="F" if of.fortran else "C")
