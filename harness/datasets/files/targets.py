"""What `y` means: a class for each sequence or step, or a number to predict.

The type of `y` does not always say it: classes are often saved as floating point, or one-hot. Then
the likely meaning is taken and said, and `--task` decides.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.files import labels as spelling
from harness.datasets.files.arrays import check_finite
from harness.datasets.files.limits import MAX_CLASSES, MIN_OF_A_CLASS

TASKS = ("classes", "number", "steps")
_FEW = 10  # different whole numbers in floating point: up to here they are rather classes


@dataclass(frozen=True)
class Targets:
    """Class numbers, int32 (n,) or (n, steps), with the classes' names; or numbers, float64 (n,).

    `plain` says whether this is what type and shape of `y` say, without a guess or `--task`.
    """

    y: NDArray[Any]
    labels: tuple[str, ...] = ()
    plain: bool = True
    notes: Sequence[str] = ()

    @property
    def task(self) -> str:
        return "steps" if self.y.ndim == 2 else "classes" if self.labels else "number"


def targets(path: Path, y: NDArray[Any], length: int, task: str | None) -> Targets:
    """What `y` means, for sequences of `length` steps; raises UserError where it can't be used."""
    if task is not None and task not in TASKS:
        raise UserError(f"--task {cut(task)}: not one of {', '.join(TASKS)}")
    if y.dtype.kind not in "fiubUS":
        raise UserError(f"{path}: y is of {cut(str(y.dtype))}; it needs numbers or strings")
    check_finite(path, "y", y)
    shaped, notes = _shaped(y, task)
    if shaped.ndim > 1:
        _check_steps(path, shaped, length, task)
        if y.dtype.kind == "f":
            notes.append("y has whole numbers in floating point: a class for each step")
        found, plain = _classes(path, shaped), y.dtype.kind in "iu" and y.ndim == 2
    elif _is_number(shaped, task):
        if task is None and _whole(shaped):
            notes.append(
                "y has many different whole numbers: predicted as a number (or --task classes)"
            )
        found, plain = _numbers(path, shaped), y.dtype.kind == "f"
    else:
        if task is None and shaped.dtype.kind == "f":
            notes.append(
                "y has few different whole numbers in floating point: they are classes (or --task "
                "number)"
            )
        found, plain = _classes(path, shaped), y.dtype.kind != "f" and y.ndim == 1
    return Targets(found.y, found.labels, plain, (*notes, *found.notes))


def is_for_each_step(y: NDArray[Any], length: int, task: str | None) -> bool:
    """Whether `y` has a class for each of all `length` steps, and not a one-hot class."""
    if y.ndim < 2 or y.shape[1] != length or task in ("classes", "number"):
        return False
    return y.ndim > 2 or not _is_one_hot(y)


def _shaped(y: NDArray[Any], task: str | None) -> tuple[NDArray[Any], list[str]]:
    """`y` without axes of size 1, and one-hot classes as numbers."""
    notes = []
    shape = f"y of shape {y.shape}"
    least = 2 if task == "steps" else 1
    while y.ndim > least and y.shape[-1] == 1:
        y = y[..., 0]
        if y.ndim == 1:
            notes.append(f"{shape} has one target for each sequence (or --task steps)")
    if task != "number" and y.ndim > least and _is_one_hot(y):
        y = y.argmax(axis=-1)
        or_steps = " (or --task steps)" if y.ndim == 1 else ""
        notes.append(f"{shape} is one-hot: the class is the place of the 1{or_steps}")
    return y, notes


def _is_one_hot(y: NDArray[Any]) -> bool:
    """Whether each last axis has a single 1 and zeros besides."""
    if y.dtype.kind not in "fiub" or y.shape[-1] < 2:
        return False
    return bool(((y == 0) | (y == 1)).all() and (y.sum(axis=-1) == 1).all())


def _is_number(y: NDArray[Any], task: str | None) -> bool:
    if task is not None:
        return task == "number"
    return y.dtype.kind == "f" and not (_whole(y) and len(np.unique(y)) <= _FEW)


def _whole(y: NDArray[Any]) -> bool:
    return y.dtype.kind in "iub" or (y.dtype.kind == "f" and bool((y == np.floor(y)).all()))


def _check_steps(path: Path, y: NDArray[Any], length: int, task: str | None) -> None:
    """Raises UserError unless `y` can be a class for each of the last steps."""
    told = f"{path}: y is of {y.dtype} with the shape {y.shape}"
    if task in ("number", "classes") or (y.dtype.kind == "f" and task is None and not _whole(y)):
        one = "class" if task == "classes" else "number"
        sums = y.sum(axis=-1) if y.dtype.kind == "f" else np.zeros(1)
        hint = f"choose one, for example y[{', '.join([':', *['0'] * (y.ndim - 1)])}]"
        if y.ndim == 2 and (np.abs(sums - 1) < 1e-3).all() and (y >= 0).all():
            hint = "for the likeliest class save y.argmax(axis=1)"
        raise UserError(f"{told}; each sequence has one {one}, y of shape (n,): {hint}")
    classes = _whole(y) or y.dtype.kind in "US"
    if y.ndim > 2 or not 1 <= y.shape[1] <= length or not classes:
        raise UserError(
            f"{told}; it needs (n,), or whole numbers or strings (n, steps) for the last steps of "
            f"at most {length}"
        )


def _numbers(path: Path, y: NDArray[Any]) -> Targets:
    if y.dtype.kind in "US":
        raise UserError(f"{path}: --task number: y has strings; save numbers")
    y = y.astype(np.float64)
    if (y == y[0]).all():
        raise UserError(f"{path}: all numbers in y are {y[0]:g}; there is nothing to predict")
    return Targets(y)


def _classes(path: Path, y: NDArray[Any]) -> Targets:
    _check_characters(path, y)
    values, inverse = np.unique(y, return_inverse=True)
    if len(values) > 10 * MAX_CLASSES:
        names, notes = [str(each) for each in range(len(values))], []  # only their number is told
    else:
        cleaned = spelling.cleaned(_plain(path, values), lambda at: f"{path}: y")
        names, notes = cleaned.of_rows, cleaned.notes
    labels = spelling.ordered(names)
    if len(labels) < 2:
        raise UserError(f"{path}: all of y is {cut(labels[0])}; two classes are needed")
    if len(labels) > MAX_CLASSES:
        raise UserError(
            f"{path}: {len(labels):,} different classes in y, at most {MAX_CLASSES}; are they "
            "numbers to predict? Then --task number"
        )
    number_of = {label: number for number, label in enumerate(labels)}
    numbers = np.array([number_of[name] for name in names], np.int32)[inverse.reshape(y.shape)]
    counts = np.bincount(numbers.reshape(-1))
    if y.ndim == 1 and counts.min() < MIN_OF_A_CLASS:
        or_number = ", or --task number" if y.dtype.kind in "fiu" else ""
        few = (
            "1 sequence of class {} is"
            if counts.min() == 1
            else f"{counts.min()} sequences of class {{}} are"
        )
        raise UserError(
            f"{path}: {few.format(cut(labels[counts.argmin()]))} too few, at least "
            f"{MIN_OF_A_CLASS}: add some or leave them out{or_number}"
        )
    return Targets(numbers, labels, notes=notes)


def _check_characters(path: Path, y: NDArray[Any]) -> None:
    """Raises UserError for strings with numbers that are no characters: Python can't read them."""
    if y.dtype.kind != "U" or not y.dtype.itemsize:
        return
    strings = np.ascontiguousarray(y.astype(y.dtype.newbyteorder("=")))
    if strings.view(np.uint32).max(initial=0) > sys.maxunicode:
        raise UserError(f"{path}: y has strings that are damaged; save it again")


def _plain(path: Path, values: NDArray[Any]) -> list[spelling.Label]:
    """Values as Python's; raises UserError for bytes that are no text."""
    if values.dtype.kind != "S":
        return list(values.tolist())
    try:
        return [value.decode("utf-8") for value in values.tolist()]
    except UnicodeDecodeError:
        raise UserError(
            f"{path}: y has bytes that are not UTF-8; save strings or numbers"
        ) from None
