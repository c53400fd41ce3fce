"""Translation step by step: the decoder reads what it has written. No Keras."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Arrays

END = 0  # the class after which nothing is written


def greedy(
    predict: Callable[[Arrays], NDArray[np.float32]], split: Arrays, fed_back: NDArray[np.int32]
) -> NDArray[np.int64]:
    """The most probable class at each step, (n, steps), given those before it; END after END.

    The answers that the split's inputs contain, for training, are not read: `fed_back` has the id
    that stands for a class in them, and `predict` gives the probabilities (n, steps, classes).
    """
    n, steps = split.y.shape
    x = split.x.copy()
    x[:, x.shape[1] - steps + 1 :] = 0
    found = np.zeros((n, steps), np.int64)
    for step in range(steps):
        # Later inputs do not change this step's output.
        found[:, step] = predict(Arrays(x, split.y))[:, step].argmax(axis=-1)
        if step + 1 < steps:
            x[:, x.shape[1] - steps + 1 + step] = fed_back[found[:, step]]
    found[np.cumsum(found == END, axis=1) > 0] = END
    return found
