"""What datasets of texts share whose three splits are drawn from one labelled corpus."""

import abc
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from harness.datasets.base import text
from harness.datasets.base.dataset import SPLITS, Arrays, Split
from harness.datasets.base.splits import SplitBySeed, stratified


@dataclass(frozen=True, kw_only=True)
class SplitTexts(SplitBySeed):
    """Copies of one text are only ever trained on: see `split.stratified`.

    The vocabulary is that of the training split.
    """

    @abc.abstractmethod
    def corpus(self, notify: Callable[[str], None]) -> tuple[text.Corpus, str]:
        """All texts, from the cache once read, and what tells their source from others."""

    def prepare(self, notify: Callable[[str], None]) -> None:
        self.corpus(notify)
        prepared(self)  # sizes that do not fit are told now

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        return prepared(self).splits[split].encode(sequence_length, vocabulary)

    def words(self, vocabulary: int) -> list[str]:
        return list(prepared(self).words[:vocabulary])

    def fingerprint(self) -> str:
        return prepared(self).fingerprint


@dataclass(frozen=True)
class Prepared:
    """A dataset's splits, ready to encode; `rows` are numbers of the corpus's rows."""

    rows: dict[Split, NDArray[Any]]
    splits: dict[Split, text.Sequences]
    words: tuple[str, ...]
    fingerprint: str


@functools.lru_cache(maxsize=2)  # one is the rule; each of IMDB's holds 24 MB
def prepared(dataset: SplitTexts) -> Prepared:
    """The splits of a dataset: 0.2 s for IMDB, once in a process."""
    corpus, source = dataset.corpus(notify=lambda line: None)
    rows = stratified(
        corpus.labels,
        corpus.copies(),
        train=dataset.train,
        validation=dataset.validation,
        test=dataset.test,
        seed=dataset.split_seed,
    )
    vocabulary = text.Vocabulary.fit(corpus, rows["train"])
    splits = {split: text.Sequences.of(corpus, rows[split], vocabulary.ids) for split in SPLITS}
    return Prepared(
        rows=rows,
        splits=splits,
        words=vocabulary.words,
        fingerprint=text.digest(source, rows, {s: splits[s].labels for s in SPLITS}),
    )
