"""The dataset `parity`: is the number of ones odd?"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.datasets.base.generated import Drawn, GeneratedTask


@dataclass(frozen=True, kw_only=True)
class Parity(GeneratedTask):
    """`length` random bits; class 1 if the number of ones is odd.

    No part of the input alone says anything about the answer. It is the classic example of what
    one layer without hidden units can't represent: Minsky and Papert, "Perceptrons", MIT Press
    (1969). A recurrent network with two states can, at any length. Chance level is 50 %; counting
    the ones solves the task.
    """

    length: int = 10

    name: ClassVar[str] = "parity"
    labels: ClassVar[tuple[str, ...]] = ("even", "odd")
    symbols: ClassVar[tuple[str, ...]] = ("0", "1")
    difficulty: ClassVar[str] = "length"
    least: ClassVar[dict[str, int]] = {"length": 2}

    @property
    def longest(self) -> int:
        return self.length + 1

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        bits = random.randint(0, 2, (n, self.length)).astype(np.int64)
        return list(bits), bits.sum(axis=1) % 2
