"""The dataset `dyck`: do all brackets match?"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.generated import Drawn, GeneratedTask

PAIRS = 40  # of brackets in every example, so that the length says nothing about the class


@dataclass(frozen=True, kw_only=True)
class Dyck(GeneratedTask):
    """80 brackets of two kinds, nested at most `nesting` deep; class 1 if all match.

    In the other half of the examples one closing bracket is of the wrong kind. So counting is not
    enough: the kinds of all open brackets have to be remembered. These are bounded Dyck languages,
    which recurrent networks can represent with memory that grows with the nesting: Hewitt et al.,
    "RNNs can generate bounded hierarchical languages with optimal memory", EMNLP 2020. Every
    example reaches the depth `nesting`. Chance level is 50 %; a stack solves the task.
    """

    nesting: int = 3

    name: ClassVar[str] = "dyck"
    labels: ClassVar[tuple[str, ...]] = ("broken", "matched")
    symbols: ClassVar[tuple[str, ...]] = ("(", "[", ")", "]")
    difficulty: ClassVar[str] = "nesting"
    least: ClassVar[dict[str, int]] = {"nesting": 1}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesting > PAIRS // 2:
            raise UserError(f"nesting: {self.nesting} is more than {PAIRS // 2}")

    @property
    def longest(self) -> int:
        return 2 * PAIRS + 1

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        matched = random.randint(0, 2, n)
        examples = []
        for right in matched:
            example = _matched(random, self.nesting)
            if not right:
                closing = np.flatnonzero(example >= 2)
                broken = closing[random.randint(len(closing))]
                example[broken] = 5 - example[broken]  # 2 and 3 are the closing kinds
            examples.append(example)
        return examples, matched


def _matched(random: np.random.RandomState, nesting: int) -> NDArray[np.int64]:
    """A random walk between 0 and `nesting`, as brackets; it reaches `nesting`."""
    while True:
        example = []
        stack: list[int] = []
        deepest = 0
        for left in range(2 * PAIRS, 0, -1):
            must_open, must_close = not stack, len(stack) in (left, nesting)
            if must_close or (not must_open and random.rand() < 0.5):
                example.append(2 + stack.pop())
            else:
                stack.append(random.randint(2))
                example.append(stack[-1])
                deepest = max(deepest, len(stack))
        if deepest == nesting:
            return np.array(example, np.int64)
