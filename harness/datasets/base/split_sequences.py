"""Datasets of numbers whose three splits are drawn from one array."""

import abc
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base import text
from harness.datasets.base.contents import Contents, counts, task_of
from harness.datasets.base.dataset import SPLITS, Arrays, Split
from harness.datasets.base.sequences import ENCODING, padded
from harness.datasets.base.splits import SplitBySeed, repeated, stratified
from harness.datasets.base.text import check_encoding

_STRATA = 10  # of numbers to predict, so that every split has small and large ones


@dataclass(frozen=True, kw_only=True)
class SplitNumbers(SplitBySeed):
    """Sequences that occur more than once are only in the training split.

    Every split has the classes, or small and large numbers, in the same proportions. See
    `splits.stratified`.
    """

    input: ClassVar[str] = "numbers"
    encoding: ClassVar[str] = ENCODING

    @abc.abstractmethod
    def whole(self) -> tuple[NDArray[Any], NDArray[Any], str]:
        """All sequences (n, time, features), all targets, and the SHA-256 of both."""

    def scaled(self, rows: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Sequences and targets of some rows for models, standardised with `scaling`."""
        x, y, _ = self.whole()
        return x[rows], y[rows]

    def split(self) -> dict[Split, NDArray[np.int64]]:
        """The rows of each split; raises UserError for sizes that do not fit."""
        return _rows(self)

    def prepare(self, notify: Callable[[str], None]) -> None:
        self.split()

    def contents(self, notify: Callable[[str], None]) -> Contents:
        self.prepare(notify)
        x, y, _ = self.whole()
        return Contents(
            task=task_of(self.classes, self.steps),
            classes=counts(y, self.classes, self.labels) if self.classes else {},
            rows=len(x),
            splits=self.sizes(),
            features=self.features,
            length=x.shape[1],
            typical_length=x.shape[1],
        )

    def limits(self) -> dict[str, int]:
        return {"sequence_length": self.whole()[0].shape[1]}

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        check_encoding(sequence_length, vocabulary)
        x, y = self.scaled(self.split()[split])
        return Arrays(padded(x, sequence_length, self.features), y)

    def words(self, vocabulary: int) -> list[str]:
        return []

    def fingerprint(self) -> str:
        _, y, source = self.whole()
        rows = self.split()
        return text.digest(source, rows, {split: y[rows[split]] for split in SPLITS})


@functools.lru_cache(maxsize=4)
def _rows(dataset: SplitNumbers) -> dict[Split, NDArray[np.int64]]:
    x, y, _ = dataset.whole()
    if dataset.classes == 0:
        strata = np.argsort(np.argsort(y, kind="stable")) * _STRATA // len(y)
    elif dataset.steps:
        strata = np.zeros(len(y), np.int64)
    else:
        strata = y
    return stratified(
        strata.astype(np.int32),
        repeated([sequence.tobytes() for sequence in x]),
        train=dataset.train,
        validation=dataset.validation,
        test=dataset.test,
        seed=dataset.split_seed,
        names=dataset.labels if dataset.classes and not dataset.steps else (),
    )
