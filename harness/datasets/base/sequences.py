"""Sequences of numbers as arrays."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ENCODING = "the last sequence_length time steps, zeros in front"


def padded(
    examples: Sequence[NDArray[np.floating]] | NDArray[np.floating],
    sequence_length: int,
    features: int,
) -> NDArray[np.float32]:
    """The last `sequence_length` time steps of each example (time, features), zeros in front.

    Returns float32 (n, sequence_length, features).
    """
    x = np.zeros((len(examples), sequence_length, features), np.float32)
    for row, numbers in zip(x, examples, strict=True):
        kept = numbers[-sequence_length:]
        row[sequence_length - len(kept) :] = kept
    return x
