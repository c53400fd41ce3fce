"""What tasks generated from a seed have in common: any size, no download."""

import abc
import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.checks import check_whole
from harness.core.seeds import derive_seed
from harness.datasets.base.contents import Contents
from harness.datasets.base.dataset import SPLITS, Arrays, Dataset, Split
from harness.datasets.base.sequences import padded
from harness.datasets.base.text import INDEX_FROM, MARKS, check_encoding

# Examples and their targets. An example is symbol numbers from 0 (time,), or (time, features).
Drawn = tuple[Sequence[NDArray[Any]], NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class GeneratedTask(Dataset):
    """A task whose examples follow from `data_seed`: sequences of `symbols` or of numbers.

    Examples of different splits are drawn independently. Symbols are encoded like the words of a
    text: a start mark, then ids above those of the marks. A `sequence_length` below `longest` cuts
    off the beginning of examples, and the `vocabulary` should be at least `ids`. `difficulty`
    names the field that makes the task harder as it grows. The task counts as solved when the
    share of right answers reaches `solved`.
    """

    train: int = 10_000
    validation: int = 2_000
    test: int = 2_000
    data_seed: int = 0

    symbols: ClassVar[tuple[str, ...]] = ()
    difficulty: ClassVar[str]
    least: ClassVar[dict[str, int]] = {}  # the smallest sensible value of a field
    solved: ClassVar[float] = 0.95
    block: ClassVar[int] = 500  # examples of one seed, so that a smaller split begins a larger one

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, least in ({"data_seed": 0} | self.least).items():
            check_whole(name, getattr(self, name), least)

    def draw(self, random: np.random.RandomState, n: int) -> Drawn:
        """Draw `n` examples."""
        raise NotImplementedError("a task draws its examples with `draw` or with `draw_block`")

    def draw_block(self, split: Split, number: int) -> Drawn:
        """Block `number`, from 0, of a split, with `block` examples.

        A task overrides it if its splits differ, or if its examples are kept in the cache.
        """
        # RandomState always gives the same numbers; NumPy's Generator may change between versions.
        random = np.random.RandomState(derive_seed(self.data_seed, split, number))
        return self.draw(random, self.block)

    @property
    @abc.abstractmethod
    def longest(self) -> int:
        """Time steps of the longest example, with its start mark."""

    def limits(self) -> dict[str, int]:
        found = {"sequence_length": self.longest}
        return found if self.features else found | {"vocabulary": self.ids()}

    @classmethod
    def ids(cls) -> int:
        """The number of ids: marks and symbols."""
        return len(MARKS) + len(cls.symbols)

    def prepare(self, notify: Callable[[str], None]) -> None:
        """Does nothing: examples are drawn in each process that needs them."""

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        check_encoding(sequence_length, vocabulary)
        examples, labels = _drawn(self, split)
        if self.features:
            return Arrays(padded(examples, sequence_length, self.features), labels.copy())
        x = np.zeros((len(examples), sequence_length), np.int32)
        for row, symbols in zip(x, examples, strict=True):
            ids = np.concatenate([[1], symbols + INDEX_FROM + 1])[-sequence_length:]
            row[sequence_length - len(ids) :] = np.where(ids < vocabulary, ids, 2)
        return Arrays(x, labels.copy())

    def contents(self, notify: Callable[[str], None]) -> Contents:
        drawn = [len(example) for split in SPLITS for example in _drawn(self, split)[0]]
        return super().contents(notify).with_lengths(np.array(drawn))

    def words(self, vocabulary: int) -> list[str]:
        return [] if self.features else [*MARKS, *self.symbols][:vocabulary]

    def fingerprint(self) -> str:
        digest = hashlib.sha256()
        for split in SPLITS:
            examples, labels = _drawn(self, split)
            kind = np.float32 if self.features else np.int64
            for example in examples:
                digest.update(np.ascontiguousarray(example, kind).tobytes() + b"|")
            digest.update(labels.tobytes())
        return digest.hexdigest()

    def to_mapping(self) -> dict[str, Any]:
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**super().to_mapping(), **own, "difficulty": self.difficulty, "solved": self.solved}


@functools.lru_cache(maxsize=6)
def _drawn(dataset: GeneratedTask, split: Split) -> tuple[list[NDArray[Any]], NDArray[Any]]:
    """The examples of a split; seeds of blocks depend on the split, not on its size."""
    examples: list[NDArray[Any]] = []
    labels: list[NDArray[Any]] = []
    size = int(getattr(dataset, split))
    for number in range(-(-size // dataset.block)):
        drawn, targets = dataset.draw_block(split, number)
        examples.extend(drawn)
        labels.append(np.asarray(targets))
    shape = (0, dataset.steps) if dataset.steps else (0,)
    found = np.concatenate([np.zeros(shape, np.int64), *labels])
    return examples[:size], found[:size].astype(np.int32 if dataset.classes else np.float32)
