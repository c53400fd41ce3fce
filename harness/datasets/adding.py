"""The dataset `adding`: the sum of two marked numbers in a long sequence."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.core.metrics import R2
from harness.datasets.base.generated import Drawn, GeneratedTask
from harness.datasets.base.sequences import ENCODING as NUMBERS


@dataclass(frozen=True, kw_only=True)
class Adding(GeneratedTask):
    """Of `length` numbers from 0 to 1 two are marked, one in each half; the target is their sum.

    A time step has two features, the number and its mark (1 or 0). This is the adding problem of
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9:1735-1780 (1997),
    as in Arjovsky, Shah and Bengio, "Unitary evolution recurrent neural networks", ICML 2016.
    A constant prediction of 1 has a mean squared error of 1/6 and an R² of 0. Adding up the marked
    numbers solves the task.
    """

    length: int = 50

    name: ClassVar[str] = "adding"
    classes: ClassVar[int] = 0
    features: ClassVar[int] = 2
    input: ClassVar[str] = "numbers"
    encoding: ClassVar[str] = NUMBERS
    metric: ClassVar[str] = R2
    difficulty: ClassVar[str] = "length"
    least: ClassVar[dict[str, int]] = {"length": 2}

    @property
    def longest(self) -> int:
        return self.length

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        x = np.zeros((n, self.length, 2), np.float32)
        x[:, :, 0] = random.uniform(size=(n, self.length))
        rows, half = np.arange(n), self.length // 2
        for place in (random.randint(0, half, n), random.randint(half, self.length, n)):
            x[rows, place, 1] = 1.0
        return list(x), (x[:, :, 0] * x[:, :, 1]).sum(axis=1)
