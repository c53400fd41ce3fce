"""The dataset `number-files`: your own sequences of numbers, from an .npz file.

The file has two plain arrays. `x` has numbers (n, length, features). `y` has one of three:
- a class for each sequence: whole numbers or strings (n,);
- a class for each of the last steps: whole numbers (n, steps);
- a number to predict for each sequence: floating point (n,).
Everything is checked before anything is trained.
"""

import functools
import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.metrics import R2
from harness.datasets.base.split_sequences import SplitNumbers
from harness.datasets.files.limits import (
    MAX_CLASSES,
    MIN_OF_A_CLASS,
    MIN_ROWS,
    Sizes,
    check_memory,
    metric_of,
    sizes,
)

_MEMORY = 3  # bytes of memory for each byte of the arrays while they are read, with some reserve


@dataclass(frozen=True, kw_only=True)
class NumberFiles(SplitNumbers):
    """Made by `of`, which reads the file; `labels` are sorted, class i is called `labels[i]`.

    Each feature, and each number to predict, is standardised with its mean and standard deviation
    over the training split; see `scaling`. If class sizes are very different, `metric` is balanced
    accuracy.
    """

    path: str = ""
    labels: tuple[str, ...] = ()  # type: ignore[misc]
    classes: int = 2  # type: ignore[misc]
    features: int = 1  # type: ignore[misc]
    steps: int = 0  # type: ignore[misc]
    metric: str = "accuracy"  # type: ignore[misc]

    name: ClassVar[str] = "number-files"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.path:
            raise UserError(
                "dataset number-files: name the file itself, --dataset sequences.npz, or in a "
                'study file NumberFiles.of("sequences.npz")'
            )

    @classmethod
    def of(
        cls,
        path: str | Path,
        *,
        split_seed: int = 0,
        **splits: Unpack[Sizes],
    ) -> Self:
        """The dataset of a file; default sizes are 64, 16 and 20 % of the sequences.

        Reads the whole file. Raises UserError with a line that says what is wrong.
        """
        file = str(Path(path).absolute())
        x, y, labels, _ = _read(file)
        number = y.dtype == np.float32
        metric = R2 if number else "accuracy" if y.ndim == 2 else metric_of(y)
        found = cls(
            **sizes(len(x), splits),
            path=file,
            split_seed=split_seed,
            labels=labels,
            classes=0 if number else len(labels),
            features=x.shape[2],
            steps=y.shape[1] if y.ndim == 2 else 0,
            metric=metric,
        )
        found.split()  # raises UserError for sizes that do not fit
        return found

    def whole(self) -> tuple[NDArray[Any], NDArray[Any], str]:
        x, y, labels, sha256 = _read(self.path)
        if labels != self.labels or x.shape[2] != self.features:
            raise UserError(f"{self.path} has changed while it was in use: other shapes or classes")
        return x, y, sha256

    def scaling(self) -> dict[str, list[float]]:
        """Mean and standard deviation of each feature, and of the target if it is a number."""
        return _scaling(self)

    def scaled(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        scaling = self.scaling()
        x = _standardised(x, scaling["x_mean"], scaling["x_std"])
        if self.classes == 0:
            y = _standardised(y, scaling["y_mean"], scaling["y_std"])
        return x, y

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {"file": Path(self.path).name}


def _standardised(
    values: NDArray[np.float32], mean: list[float], deviation: list[float]
) -> NDArray[np.float32]:
    less = np.subtract(values, np.array(mean, np.float32))
    return np.divide(less, np.array(deviation, np.float32))


@functools.lru_cache(maxsize=4)
def _scaling(dataset: NumberFiles) -> dict[str, list[float]]:
    x, y, _ = dataset.whole()
    rows = dataset.split()["train"]
    learnt = x[rows].astype(np.float64)
    found = {"x_mean": learnt.mean(axis=(0, 1)), "x_std": learnt.std(axis=(0, 1))}
    if dataset.classes == 0:
        target = y[rows].astype(np.float64)
        found |= {"y_mean": target.mean(keepdims=True), "y_std": target.std(keepdims=True)}
    # Values that never vary become 0, so their divisor does not matter.
    return {
        name: [float(v) or 1.0 if name.endswith("std") else float(v) for v in values]
        for name, values in found.items()
    }


@functools.lru_cache(maxsize=2)
def _read(file: str) -> tuple[NDArray[np.float32], NDArray[Any], tuple[str, ...], str]:
    """x float32 (n, time, features); y class numbers or float32; classes' names; SHA-256."""
    path = Path(file)
    if path.suffix.lower() != ".npz":
        raise UserError(
            f"--dataset {path}: save it as .npz: numpy.savez('sequences.npz', x=x, y=y)"
        )
    if not path.is_file():
        raise UserError(f"--dataset {path}: no such file")
    x, y = _arrays(path)
    if x.ndim != 3 or 0 in x.shape:
        raise UserError(
            f"{path}: x has the shape {x.shape}; it needs (n, length, features)"
            + (", for example x[..., None] for one feature" if x.ndim == 2 else "")
        )
    if len(x) != len(y):
        raise UserError(f"{path}: x has {len(x):,} sequences, y {len(y):,} targets")
    if len(x) < MIN_ROWS:
        raise UserError(f"{path}: {len(x):,} sequences are too few, at least {MIN_ROWS}")
    if x.dtype.kind not in "fiub":
        raise UserError(f"{path}: x is of {x.dtype}; it needs plain numbers")
    with np.errstate(over="ignore"):  # too large for float32: found as infinite below
        x = x.astype(np.float32)
    _check_finite(path, "x", x)
    y, labels = _targets(path, y, x.shape[1])
    sha256 = hashlib.sha256(repr((x.shape, labels)).encode())
    for array in (x, y):
        sha256.update(np.ascontiguousarray(array).tobytes())
    return x, y, labels, sha256.hexdigest()


def _arrays(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """`x` and `y` of the file; nothing is unpickled."""
    try:
        with zipfile.ZipFile(path) as archive:
            check_memory(path, sum(each.file_size for each in archive.infolist()), _MEMORY)
        with np.load(path, allow_pickle=False) as found:
            missing = [name for name in ("x", "y") if name not in found.files]
            if missing:
                found_names = ", ".join(found.files) or "none"
                raise UserError(f"{path} has no array {missing[0]!r}; it has {found_names}")
            return found["x"], found["y"]
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise UserError(
                f"{path} contains pickled objects, which are not opened: they may run code; save "
                "plain arrays of numbers"
            ) from None
        raise UserError(f"{path}: not an .npz file that can be read ({error})") from None
    except (OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError(f"{path}: not an .npz file that can be read ({error})") from None


def _targets(path: Path, y: NDArray[Any], length: int) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Class numbers (int32) with the classes' names, or numbers (float32)."""
    per_step = y.ndim == 2 and y.dtype.kind in "iu" and 1 <= y.shape[1] <= length
    if y.ndim != 1 and not per_step:
        raise UserError(
            f"{path}: y is of {y.dtype} with the shape {y.shape}; it needs (n,), or whole numbers "
            f"(n, steps) for the last steps of at most {length}"
        )
    if y.dtype.kind == "f":
        y = y.astype(np.float32)
        _check_finite(path, "y", y)
        if (y == y[0]).all():
            raise UserError(f"{path}: all numbers in y are {y[0]:g}; there is nothing to predict")
        return y, ()
    if y.dtype.kind not in "iubU":
        raise UserError(f"{path}: y is of {y.dtype}; it needs numbers or strings")
    classes, numbers, counts = np.unique(y, return_inverse=True, return_counts=True)
    if len(classes) < 2:
        raise UserError(f"{path}: all of y is {classes[0]}; two classes are needed")
    if len(classes) > MAX_CLASSES:
        raise UserError(
            f"{path}: {len(classes):,} different classes in y, at most {MAX_CLASSES}; numbers to "
            "predict are floating point: y.astype('float32')"
        )
    if y.ndim == 1 and counts.min() < MIN_OF_A_CLASS:
        rare = classes[counts.argmin()]
        raise UserError(
            f"{path}: {counts.min()} sequences of class {rare} are too few, at least "
            f"{MIN_OF_A_CLASS}"
        )
    return numbers.reshape(y.shape).astype(np.int32), tuple(map(str, classes.tolist()))


def _check_finite(path: Path, name: str, array: NDArray[np.float32]) -> None:
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        place = ", ".join(map(str, wrong[0].tolist()))
        raise UserError(
            f"{path}: {len(wrong):,} values of {name} are not finite, the first is "
            f"{name}[{place}]; remove or fill them"
        )
