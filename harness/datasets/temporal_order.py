"""The dataset `temporal-order`: the order of two symbols in a long sequence."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.datasets.base.generated import Drawn, GeneratedTask


@dataclass(frozen=True, kw_only=True)
class TemporalOrder(GeneratedTask):
    """Of `length` symbols two are X or Y, all others a, b, c or d; the class is XX, XY, YX or YY.

    The first of the two is in the second tenth of the sequence, the other in the sixth. So the
    network has to remember the first one over about 0.9 `length` steps. This is task 6a of
    Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9:1735-1780 (1997),
    with places as in Martens and Sutskever, "Learning recurrent neural networks with Hessian-free
    optimization", ICML 2011. Chance level is 25 %, and 75 % for counting without order. Reading
    the two symbols solves the task.
    """

    length: int = 50

    name: ClassVar[str] = "temporal-order"
    classes: ClassVar[int] = 4
    labels: ClassVar[tuple[str, ...]] = ("XX", "XY", "YX", "YY")
    symbols: ClassVar[tuple[str, ...]] = ("a", "b", "c", "d", "X", "Y")
    difficulty: ClassVar[str] = "length"
    least: ClassVar[dict[str, int]] = {"length": 10}

    @property
    def longest(self) -> int:
        return self.length + 1

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        x = random.randint(0, 4, (n, self.length)).astype(np.int64)
        tenth = self.length // 10
        first, second = random.randint(0, 2, (2, n))
        rows = np.arange(n)
        x[rows, random.randint(tenth, 2 * tenth, n)] = 4 + first
        x[rows, random.randint(5 * tenth, 6 * tenth, n)] = 4 + second
        return list(x), 2 * first + second
