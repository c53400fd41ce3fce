"""The dataset `list-ops`: the value of a nested expression of operations on digits."""

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.generated import Drawn, GeneratedTask

OPERATIONS = ("MAX", "MIN", "MED", "SM")
CLOSING = 10 + len(OPERATIONS)  # the number of the symbol "]"
MAX_ARGUMENTS = 4
NESTED = 0.3  # the probability that an argument is a list, where a digit is allowed, too
LONGEST = 100


@dataclass(frozen=True, kw_only=True)
class ListOps(GeneratedTask):
    """`[MAX 2 9 [MIN 4 7 ] 0 ]` is 9: lists nested `nesting` deep, the class is the result's digit.

    Operations are the maximum, the minimum, the median (rounded down) and the sum modulo 10 of two
    to four arguments, after Nangia and Bowman, "ListOps: a diagnostic dataset for latent tree
    learning", NAACL 2018, with fewer arguments. Every example is exactly `nesting` deep and has at
    most 100 symbols. Some results are more frequent than others, so compare accuracies with the
    majority class, which every study shows. A stack of open lists solves the task.

    Short lists repeat: of 2,000 test examples that are one deep, 54 % are among 10,000 training
    examples, too; of those two deep 0.25 %, of those four deep none.
    """

    nesting: int = 2

    name: ClassVar[str] = "list-ops"
    classes: ClassVar[int] = 10
    labels: ClassVar[tuple[str, ...]] = tuple("0123456789")
    symbols: ClassVar[tuple[str, ...]] = (*"0123456789", *(f"[{o}" for o in OPERATIONS), "]")
    difficulty: ClassVar[str] = "nesting"
    least: ClassVar[dict[str, int]] = {"nesting": 1}

    @property
    def longest(self) -> int:
        return LONGEST + 1

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        examples: list[NDArray[np.int64]] = []
        results = []
        while len(examples) < n:
            symbols: list[int] = []
            result = _grow(random, self.nesting, symbols)
            if len(symbols) <= LONGEST:
                examples.append(np.array(symbols, np.int64))
                results.append(result)
        return examples, np.array(results, np.int64)


def _grow(random: np.random.RandomState, nesting: int, symbols: list[int]) -> int:
    """Append a list of exactly this depth to `symbols`; returns its value."""
    operation = random.randint(len(OPERATIONS))
    symbols.append(10 + operation)
    count = random.randint(2, MAX_ARGUMENTS + 1)
    deepest = random.randint(count)  # this argument has the full depth
    values = []
    for position in range(count):
        if position == deepest and nesting > 1:
            values.append(_grow(random, nesting - 1, symbols))
        elif nesting > 1 and random.rand() < NESTED:
            values.append(_grow(random, random.randint(1, nesting), symbols))
        else:
            digit = random.randint(10)
            symbols.append(digit)
            values.append(digit)
    symbols.append(CLOSING)
    return _result(operation, tuple(values))


@functools.lru_cache(maxsize=2**16)
def _result(operation: int, values: tuple[int, ...]) -> int:
    match OPERATIONS[operation]:
        case "MAX":
            return max(values)
        case "MIN":
            return min(values)
        case "MED":
            return int(np.median(values))
        case _:
            return sum(values) % 10
