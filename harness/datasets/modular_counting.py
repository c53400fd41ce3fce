"""The dataset `modular-counting`: the sum of digits modulo 5."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.datasets.base.generated import Drawn, GeneratedTask

MODULUS = 5


@dataclass(frozen=True, kw_only=True)
class ModularCounting(GeneratedTask):
    """`length` random digits below 5; the class is their sum modulo 5.

    This is the word problem of the cyclic group: Liu et al., "Transformers learn shortcuts to
    automata", ICLR 2023, where depth replaces recurrence. Chance level is 20 %; adding up the
    digits solves the task.
    """

    length: int = 10

    name: ClassVar[str] = "modular-counting"
    classes: ClassVar[int] = MODULUS
    labels: ClassVar[tuple[str, ...]] = tuple("01234")
    symbols: ClassVar[tuple[str, ...]] = tuple("01234")
    difficulty: ClassVar[str] = "length"
    least: ClassVar[dict[str, int]] = {"length": 1}

    @property
    def longest(self) -> int:
        return self.length + 1

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        digits = random.randint(0, MODULUS, (n, self.length)).astype(np.int64)
        return list(digits), digits.sum(axis=1) % MODULUS
