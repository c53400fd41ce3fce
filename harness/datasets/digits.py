"""The dataset `digits`: scikit-learn's handwritten digits, read row by row."""

import functools
import hashlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.split_sequences import SplitNumbers


@dataclass(frozen=True, kw_only=True)
class Digits(SplitNumbers):
    """1,797 images of 8 by 8 pixels, row by row: 8 time steps of 8 features from 0 to 1.

    Ten classes. It is the test part of the UCI set "Optical recognition of handwritten digits" (E.
    Alpaydin and C. Kaynak, 1998), which scikit-learn contains. Chance level is 10 %; k nearest
    neighbours on all pixels reach about 98 %.
    """

    train: int = 1_150
    validation: int = 287
    test: int = 360

    name: ClassVar[str] = "digits"
    classes: ClassVar[int] = 10
    features: ClassVar[int] = 8
    labels: ClassVar[tuple[str, ...]] = tuple("0123456789")

    def whole(self) -> tuple[NDArray[np.float32], NDArray[np.int32], str]:
        return _digits()


@functools.lru_cache(maxsize=1)
def _digits() -> tuple[NDArray[np.float32], NDArray[np.int32], str]:
    from sklearn.datasets import load_digits

    found = load_digits()
    x = (found.images / 16.0).astype(np.float32)
    y = found.target.astype(np.int32)
    return x, y, hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest()
