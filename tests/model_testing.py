"""A model of texts that needs no Keras."""

from typing import Any

import numpy as np


class FindsFine:
    """In place of a Keras model: calls a text good where it has the word `fine` (id 4)."""

    def predict(self, x: Any, verbose: int) -> Any:
        return np.where((x == 4).any(axis=1), 0.9, 0.2)[:, None]
