"""The dataset `teacher`: the output of a random recurrent network of known depth."""

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.seeds import derive_seed
from harness.datasets.base.generated import Drawn, GeneratedTask

WIDTH, SYMBOLS, LENGTH = 16, 8, 20
CALIBRATION = 2_000  # the median output over so many examples separates the classes


@dataclass(frozen=True, kw_only=True)
class Teacher(GeneratedTask):
    """20 random symbols; class 1 if the output of a random tanh network is above its median.

    The network, called the teacher, has `teacher_depth` layers of 16 units. Its recurrent weights
    have a spectral radius of 0.95, so it forgets slowly and is not chaotic. If depth is needed to
    represent what deep networks compute, students shallower than their teacher should be worse.
    Students and teachers of one kind were introduced by Gardner and Derrida, "Three unfinished
    works on the optimal storage capacity of networks", J. Phys. A 22:1983-1994 (1989). Chance
    level is 50 %; the teacher itself solves the task.
    """

    teacher_depth: int = 2

    name: ClassVar[str] = "teacher"
    labels: ClassVar[tuple[str, ...]] = ("below", "above")
    symbols: ClassVar[tuple[str, ...]] = tuple("abcdefgh")
    difficulty: ClassVar[str] = "teacher_depth"
    least: ClassVar[dict[str, int]] = {"teacher_depth": 1}

    @property
    def longest(self) -> int:
        return LENGTH + 1

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        x = random.randint(0, SYMBOLS, (n, LENGTH)).astype(np.int64)
        return list(x), (self.says(x) > _median(self)).astype(np.int64)

    def says(self, x: NDArray[np.int64]) -> NDArray[np.float64]:
        """The teacher's output for symbols (n, length): (n,)."""
        embedding, layers, readout = _weights(self.data_seed, self.teacher_depth)
        inputs = embedding[x]
        for to_units, recurrent in layers:
            state = np.zeros((len(x), WIDTH))
            outputs = np.empty((*x.shape, WIDTH))
            for step in range(x.shape[1]):
                state = np.tanh(inputs[:, step] @ to_units + state @ recurrent)
                outputs[:, step] = state
            inputs = outputs
        found: NDArray[np.float64] = inputs[:, -1] @ readout
        return found


@functools.lru_cache
def _median(dataset: Teacher) -> float:
    random = np.random.RandomState(derive_seed(dataset.data_seed, "calibration"))
    return float(np.median(dataset.says(random.randint(0, SYMBOLS, (CALIBRATION, LENGTH)))))


@functools.lru_cache
def _weights(
    seed: int, depth: int
) -> tuple[
    NDArray[np.float64],
    list[tuple[NDArray[np.float64], NDArray[np.float64]]],
    NDArray[np.float64],
]:
    """Embedding, (input, recurrent) weights of each layer, readout; equal for all depths."""
    random = np.random.RandomState(derive_seed(seed, "teacher"))
    embedding = random.normal(size=(SYMBOLS, WIDTH))
    readout = random.normal(size=WIDTH)
    layers = []
    for _ in range(depth):
        to_units = random.normal(size=(WIDTH, WIDTH)) / np.sqrt(WIDTH)
        recurrent = random.normal(size=(WIDTH, WIDTH))
        recurrent *= 0.95 / np.abs(np.linalg.eigvals(recurrent)).max()
        layers.append((to_units, recurrent))
    return embedding, layers, readout
