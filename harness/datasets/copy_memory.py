"""The dataset `copy-memory`: repeat ten symbols after a delay."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from harness.datasets.base.generated import Drawn, GeneratedTask

REMEMBERED = 10


@dataclass(frozen=True, kw_only=True)
class CopyMemory(GeneratedTask):
    """Ten of the symbols a to h, `delay` blanks, the mark `go`; then the ten are the answer.

    The last ten time steps are blank, and the class of each is one symbol. This is the copying
    memory problem of Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation
    9:1735-1780 (1997), as in Arjovsky, Shah and Bengio, "Unitary evolution recurrent neural
    networks", ICML 2016. There the steps before are scored as well, here only the last ten. Chance
    level is 12.5 %; reading the first ten symbols solves the task.
    """

    delay: int = 20

    name: ClassVar[str] = "copy-memory"
    classes: ClassVar[int] = 8
    steps: ClassVar[int] = REMEMBERED
    labels: ClassVar[tuple[str, ...]] = tuple("abcdefgh")
    symbols: ClassVar[tuple[str, ...]] = (*labels, "blank", "go")
    difficulty: ClassVar[str] = "delay"
    least: ClassVar[dict[str, int]] = {"delay": 0}

    @property
    def longest(self) -> int:
        return 2 * REMEMBERED + self.delay + 2

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        said = random.randint(0, self.classes, (n, REMEMBERED)).astype(np.int64)
        blank, go = self.symbols.index("blank"), self.symbols.index("go")
        x = np.full((n, self.longest - 1), blank, np.int64)
        x[:, :REMEMBERED] = said
        x[:, REMEMBERED + self.delay] = go
        return list(x), said
