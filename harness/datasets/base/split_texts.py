"""Datasets of texts whose three splits are drawn from one labelled corpus."""

import abc
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base import text
from harness.datasets.base.contents import Contents, counts, task_of
from harness.datasets.base.dataset import SPLITS, Arrays, Split
from harness.datasets.base.splits import SplitBySeed, stratified


@dataclass(frozen=True, kw_only=True)
class SplitTexts(SplitBySeed):
    """Texts that occur more than once are only in the training split: see `splits.stratified`.

    The vocabulary is that of the training split.
    """

    @abc.abstractmethod
    def corpus(self, notify: Callable[[str], None]) -> tuple[text.Corpus, str]:
        """All texts, cached after the first call, and a text that identifies their source."""

    def prepare(self, notify: Callable[[str], None]) -> None:
        self.corpus(notify)
        prepared(self)  # raises UserError for sizes that do not fit

    def contents(self, notify: Callable[[str], None]) -> Contents:
        self.prepare(notify)
        corpus, _ = self.corpus(notify)
        return Contents(
            task=task_of(self.classes, self.steps),
            classes=counts(corpus.labels, self.classes, self.labels),
            rows=len(corpus.labels),
            splits=self.sizes(),
        ).with_lengths(np.diff(corpus.offsets))

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        return prepared(self).splits[split].encode(sequence_length, vocabulary)

    def words(self, vocabulary: int) -> list[str]:
        return list(prepared(self).words[:vocabulary])

    def fingerprint(self) -> str:
        return prepared(self).fingerprint


@dataclass(frozen=True)
class Prepared:
    """The splits of a dataset, ready to encode; `rows` are row numbers of the corpus."""

    rows: dict[Split, NDArray[Any]]
    splits: dict[Split, text.Sequences]
    words: tuple[str, ...]
    fingerprint: str


@functools.lru_cache(maxsize=2)  # usually only one is used; IMDB takes 24 MB
def prepared(dataset: SplitTexts) -> Prepared:
    """The splits of a dataset, computed once in a process: 0.2 s for IMDB."""
    corpus, source = dataset.corpus(notify=lambda line: None)
    rows = stratified(
        corpus.labels,
        corpus.copies(),
        train=dataset.train,
        validation=dataset.validation,
        test=dataset.test,
        seed=dataset.split_seed,
        names=dataset.labels,
    )
    vocabulary = text.Vocabulary.fit(corpus, rows["train"])
    splits = {split: text.Sequences.of(corpus, rows[split], vocabulary.ids) for split in SPLITS}
    return Prepared(
        rows=rows,
        splits=splits,
        words=vocabulary.words,
        fingerprint=text.digest(source, rows, {s: splits[s].labels for s in SPLITS}),
    )
