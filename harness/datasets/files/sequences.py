"""The dataset `number-files`: your own sequences of numbers, from an .npz file or JSON Lines.

An .npz file has two plain arrays. `x` has numbers (n, length, features). `y` has one of three:
- a class for each sequence: whole numbers or strings (n,), or one-hot (n, classes);
- a class for each of the last steps: whole numbers or strings (n, steps);
- a number to predict for each sequence: floating point (n,).
A third array, `lengths` (n,), says how long each sequence really is; the rest of it is padding. In
JSON Lines `x` is a list, as long as the sequence is.
Everything is checked before anything is trained.
"""

import functools
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.metrics import R2
from harness.core.text import counted
from harness.datasets.base.contents import Contents
from harness.datasets.base.sequences import ENCODING
from harness.datasets.base.split_sequences import SplitNumbers
from harness.datasets.files import arrays, json_sequences, windows
from harness.datasets.files import lengths as of_lengths
from harness.datasets.files.arrays import LENGTHS
from harness.datasets.files.limits import MIN_ROWS, Sizes, metric_of, sizes
from harness.datasets.files.targets import Targets, is_for_each_step, targets

_NEXT = " (each is the one before it, a step later)"
_TOO_COARSE = 1e-2  # of a feature's deviation: a larger distance between float32 numbers is said


@dataclass(frozen=True, kw_only=True)
class NumberFiles(SplitNumbers):
    """Made by `of`, which reads the file; `labels` are sorted, class i is called `labels[i]`.

    Each feature, and each number to predict, is standardised with its mean and standard deviation
    over the training split; see `scaling`. If class sizes are very different, `metric` is balanced
    accuracy. `given_task` is what the user says about `y`, and `meaning` its task where type and
    shape say another one. `padding` is where sequences are filled up with zeros, or "". `content`
    is the SHA-256 of the arrays.
    """

    path: str = ""
    labels: tuple[str, ...] = ()  # type: ignore[misc]
    classes: int = 2  # type: ignore[misc]
    features: int = 1  # type: ignore[misc]
    steps: int = 0  # type: ignore[misc]
    ragged: bool = False  # type: ignore[misc]
    metric: str = "accuracy"  # type: ignore[misc]
    given_task: str | None = None
    meaning: str = ""
    padding: str = ""
    x_column: str = "x"
    y_column: str = "y"
    content: str = ""

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
        task: str | None = None,
        x_column: str = "x",
        y_column: str = "y",
        split_seed: int = 0,
        **splits: Unpack[Sizes],
    ) -> Self:
        """The dataset of a file; default sizes are 64, 16 and 20 % of the sequences.

        `task` says what `y` means: `classes`, `number` or `steps`. Without it the likely meaning
        is taken. The columns are those of JSON Lines; an .npz file has `x` and `y`. Reads the whole
        file. Raises UserError with a line that says what is wrong.
        """
        file = os.path.abspath(path)
        _read.cache_clear()  # the file may be another one than before
        read = _read(file, task, (x_column, y_column))
        y, labels = read.targets.y, read.targets.labels
        metric = metric_of(y) if read.targets.task == "classes" else "accuracy"
        found = cls(
            **sizes(len(y), splits),
            path=file,
            split_seed=split_seed,
            labels=labels,
            classes=len(labels),
            features=read.x.shape[2],
            steps=y.shape[1] if y.ndim == 2 else 0,
            ragged=y.ndim == 2 and bool((y < 0).any()),
            metric=metric if labels else R2,
            given_task=task,
            meaning="" if read.targets.plain else read.targets.task,
            padding=read.padding,
            x_column=x_column,
            y_column=y_column,
            content=read.sha256,
        )
        found.split()  # raises UserError for sizes that do not fit
        return found

    @property
    def encoding(self) -> str:  # type: ignore[override]
        if not self.padding:
            return ENCODING
        if self.padding == LENGTHS:
            return f"{ENCODING}; a real step of zeros only begins with {of_lengths.NEARLY_ZERO:g}"
        moved = ", moved to the front" if self.padding == "end" and not self.steps else ""
        return f"{ENCODING}; steps of zeros at the {self.padding} are padding{moved}, and stay zero"

    def whole(self) -> tuple[NDArray[Any], NDArray[Any], str]:
        read = self._read()
        return read.x, read.targets.y, read.sha256

    def contents(self, notify: Callable[[str], None]) -> Contents:
        read = self._read()
        notes = [*read.targets.notes, *_doubts(read)]
        found = replace(super().contents(notify), notes=notes)
        return found if read.lengths is None else found.with_lengths(read.lengths, shortest=True)

    def scaling(self) -> dict[str, list[float]]:
        """Mean and standard deviation of each feature, and of the target if it is a number."""
        return _scaling(self)

    def scaled(self, rows: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
        scaling = self.scaling()
        read = self._read()
        x, y, real = read.x[rows], read.targets.y[rows], read.real(rows)
        x = _standardised(x, scaling["x_mean"], scaling["x_std"])
        if real is not None:
            x[~real] = 0
        if self.padding == LENGTHS:
            x[real & (x == 0).all(axis=2), 0] = of_lengths.NEARLY_ZERO
        if self.classes == 0:
            y = _standardised(y, scaling["y_mean"], scaling["y_std"])
        return x, y

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {
            "file": Path(self.path).name,
            **({"task": self.meaning} if self.meaning else {}),
            **({"padding": self.padding} if self.padding else {}),
            **({"x_column": self.x_column} if self.x_column != "x" else {}),
            **({"y_column": self.y_column} if self.y_column != "y" else {}),
        }

    def _read(self) -> "_Read":
        read = _read(self.path, self.given_task, (self.x_column, self.y_column))
        if read.sha256 != self.content:
            raise UserError(f"{self.path} has changed while it was in use; put it back")
        return read


def _standardised(
    values: NDArray[Any], mean: list[float], deviation: list[float]
) -> NDArray[np.float32]:
    # In double precision: times in seconds, for example, are large and differ by little.
    found = values.astype(np.float64)
    found -= np.array(mean)
    found /= np.array(deviation)
    return found.astype(np.float32)


@functools.lru_cache(maxsize=4)
def _scaling(dataset: NumberFiles) -> dict[str, list[float]]:
    read = dataset._read()
    x, y = read.x, read.targets.y
    rows = dataset.split()["train"]
    real = read.real(rows)
    learnt = x[rows].reshape(-1, x.shape[2]) if real is None else x[rows][real]
    found = _mean_and_deviation("x", learnt)
    if dataset.classes == 0:
        found |= _mean_and_deviation("y", y[rows, None])
    return found


def _mean_and_deviation(name: str, values: NDArray[Any]) -> dict[str, list[float]]:
    """Of each column. One that never varies gets the deviation 1: it becomes 0."""
    values = values.astype(np.float64)
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    constant = values.min(axis=0) == values.max(axis=0)
    return {
        f"{name}_mean": np.where(constant, values[0], mean).tolist(),
        f"{name}_std": np.where(constant | (deviation == 0), 1.0, deviation).tolist(),
    }


@dataclass(frozen=True)
class _Read:
    """x (n, time, features), its targets, how it is filled up, and the SHA-256 of it all.

    With `lengths` (n,) the padding is in front.
    """

    x: NDArray[Any]
    targets: Targets
    filling: windows.Filling | None
    sha256: str
    lengths: NDArray[np.int64] | None = None

    @property
    def padding(self) -> str:
        """`front`, `end` or `lengths`; "" where there is none."""
        if self.lengths is not None:
            return LENGTHS
        return self.filling.where if self.filling and self.filling.sure else ""

    def real(self, rows: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Which steps of some sequences are no padding, (n, time); None where there is none."""
        if self.lengths is not None:
            return of_lengths.real(self.lengths[rows], self.x.shape[1])
        return (self.x[rows] != 0).any(axis=2) if self.padding else None


@functools.lru_cache(maxsize=2)
def _read(file: str, task: str | None, columns: tuple[str, str]) -> _Read:
    """A file's arrays; sequences that are filled up at the end get their zeros in front.

    Without `lengths` they stay where the last steps have classes of their own.
    """
    path = Path(file)
    x, lengths, y = _arrays(path, columns)
    if y.ndim < 1 or len(x) != len(y):
        told = f"{len(y):,} targets" if y.ndim else "a single number"
        raise UserError(f"{path}: x has {len(x):,} sequences, y {told}")
    if len(x) < MIN_ROWS:
        raise UserError(f"{path}: {len(x):,} sequences are too few, at least {MIN_ROWS}")
    each_step = lengths is not None and is_for_each_step(y, x.shape[1], task)
    if lengths is not None and each_step:  # what stands beside padding is no class
        real = of_lengths.real_steps(x, lengths)
        found = targets(path, of_lengths.without_padding(y, real), x.shape[1], task)
        found = replace(found, y=np.where(real, found.y, -1).astype(np.int32))
    else:
        found = targets(path, y, x.shape[1], task)
    sha256 = hashlib.sha256(repr((x.shape, found.labels)).encode())
    for array in (x, found.y, *([] if lengths is None else [lengths])):
        # Studies of data that float32 holds exactly began with this hash.
        narrow = np.int32 if array.dtype == np.int32 and found.labels else np.float32
        sha256.update(np.ascontiguousarray(array, narrow).tobytes())
        if not arrays.exact(array):
            sha256.update(np.ascontiguousarray(array).tobytes())
    filling = windows.filling(x) if lengths is None else None
    if lengths is not None:
        _check_all_real(path, found, lengths, each_step)
        longest, at_end = int(lengths.max()), not of_lengths.in_front(x, lengths)
        x = of_lengths.at_the_end(x, lengths, 0) if at_end else x[:, -longest:]
        if each_step:
            moved = of_lengths.at_the_end(found.y, lengths, -1) if at_end else found.y[:, -longest:]
            found = replace(found, y=moved)
    elif filling and filling.sure and filling.where == "end" and found.y.ndim == 1:
        x = windows.padded_in_front(x)
    return _Read(x, found, filling, sha256.hexdigest(), lengths)


def _check_all_real(
    path: Path, found: Targets, lengths: NDArray[np.int64], each_step: bool
) -> None:
    """Raises UserError where the last steps, if not all of them, have classes and are padding."""
    if found.y.ndim > 1 and not each_step and lengths.min() < found.y.shape[1]:
        at = int(lengths.argmin())
        raise UserError(
            f"{path}: y has classes for the last {found.y.shape[1]:,} steps, but lengths[{at}] is "
            f"{lengths[at]}: leave out such sequences, or give y as many steps as x"
        )


def _arrays(
    path: Path, columns: tuple[str, str]
) -> tuple[NDArray[Any], NDArray[np.int64] | None, NDArray[Any]]:
    """Checked sequences, their lengths, where they are known, and their targets as they are."""
    if path.suffix.lower() in json_sequences.SUFFIXES:
        found, y, lengths = json_sequences.read(path, *columns)
        assert y is not None, "a column of targets was asked for"
        return *arrays.checked(path, found, lengths), y
    if columns != ("x", "y"):
        raise UserError(f"{path}: names of columns go with JSON Lines; .npz files have x and y")
    x, y, given = arrays.read(path)
    return *arrays.checked(path, x, given), y


def _doubts(read: _Read) -> Iterator[str]:
    """What may be wrong with the numbers, and how to mend it."""
    if read.filling is not None:
        steps = f"{counted(read.filling.sequences, 'sequence')} with steps of zeros at the"
        if read.filling.sure:
            yield f"{steps} {read.filling.where} alone: padding, left out of means and deviations"
        else:
            yield (
                f"{steps} {read.filling.where} alone: taken as values like others; put padding in "
                "front, and make it the mean of each feature"
            )
    if read.x.dtype == np.float32:
        flat = read.x.reshape(-1, read.x.shape[2])
        apart = np.spacing(np.abs(flat).max(axis=0)).astype(np.float64)
        coarse = np.flatnonzero(apart > _TOO_COARSE * flat.std(axis=0, dtype=np.float64))
        varying = [at for at in coarse.tolist() if flat[:, at].min() < flat[:, at].max()]
        if varying:
            yield (
                f"feature {varying[0]} is large and varies little: float32 has no numbers between "
                f"those {apart[varying[0]]:.2g} apart; save x as float64"
            )
    overlap = windows.overlap(read.x)
    if overlap is not None:
        every = -(-read.x.shape[1] // overlap.shift)
        mend = f"keep one of {every}: x[::{every}], y[::{every}]"
        if not overlap.ordered:
            mend = "keep only some that do not overlap"
        yield (
            f"{overlap.share:.0%} of the sequences overlap others, like windows of one series"
            f"{_NEXT * (overlap.ordered and overlap.shift == 1)}: test sequences then share values "
            f"with training sequences, and results are too good; {mend}; or forecast from the "
            "table itself: --dataset table.csv --time-column NAME --target-column NAME"
        )
