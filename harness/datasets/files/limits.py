"""Sizes and limits of datasets from the user's own files."""

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

MIN_ROWS, MIN_OF_A_CLASS, MAX_CLASSES = 50, 5, 100
UNBALANCED = 5  # largest to smallest class; above it, accuracy says little
VALIDATION, TEST = 0.16, 0.20  # of all rows; the rest is for training


class Sizes(TypedDict, total=False):
    """The number of examples in each split, as a study file gives them."""

    train: int | None
    validation: int | None
    test: int | None


def sizes(n: int, given: Sizes) -> dict[str, int]:
    """The sizes of the splits; missing sizes become 64, 16 and 20 % of `n` rows.

    Raises TypeError for a key that is no split, such as a misspelled keyword.
    """
    for name in given:
        if name not in Sizes.__annotations__:
            raise TypeError(f"got an unexpected keyword argument {name!r}")
    train, validation, test = given.get("train"), given.get("validation"), given.get("test")
    validation = max(1, round(VALIDATION * n)) if validation is None else validation
    test = max(1, round(TEST * n)) if test is None else test
    train = n - validation - test if train is None else train
    return {"train": train, "validation": validation, "test": test}


def metric_of(classes: NDArray[np.int32]) -> str:
    """Balanced accuracy if the largest class has more than five times the rows of the smallest."""
    counts = np.bincount(classes)
    return "balanced accuracy" if counts.max() > UNBALANCED * counts.min() else "accuracy"
