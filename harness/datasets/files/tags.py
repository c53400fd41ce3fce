"""The dataset `tag-files`: your own sentences with a tag for each token."""

import functools
import hashlib
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from harness.core import spans
from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base import text
from harness.datasets.base.contents import Contents
from harness.datasets.base.dataset import SPLITS, Arrays, Split
from harness.datasets.base.splits import SplitBySeed, stratified
from harness.datasets.files import labels as spelling
from harness.datasets.files.decoding import UTF8
from harness.datasets.files.limits import MIN_ROWS, Sizes, sizes
from harness.datasets.files.tagged import CONLL, TAGS, TOKENS, TagSource, read

MAX_TAGS = 500


@dataclass(frozen=True, kw_only=True)
class TagFiles(SplitBySeed):
    """Made by `of`, which reads the file; tags are sorted, class i is called `labels[i]`.

    Each of the last `steps` time steps has a class, and `steps` is the length of the longest
    sentence. Shorter ones are padded in front; padding has the class -1. Sentences that occur more
    than once are only in the training split. `content` is the SHA-256 of the file.
    """

    path: str = ""
    tokens_column: str = TOKENS
    tags_column: str = TAGS
    labels: tuple[str, ...] = ()  # type: ignore[misc]
    classes: int = 2  # type: ignore[misc]
    steps: int = 1  # type: ignore[misc]
    given_encoding: str | None = None
    content: str = ""

    name: ClassVar[str] = "tag-files"
    input: ClassVar[str] = "text"
    tokenizer: ClassVar[str] = "tokens"
    ragged: ClassVar[bool] = True
    encoding: ClassVar[str] = (
        "ids by line of vocabulary.txt, from 0: 0 padding in front, 1 before the first token, 2 "
        "for tokens not in it; the output at a token's place is for its tag"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.labels:
            raise UserError(
                "dataset tag-files: name the file itself, --dataset sentences.conll, or in a study "
                'file TagFiles.of("sentences.conll")'
            )

    @classmethod
    def of(
        cls,
        path: str | Path,
        *,
        tokens_column: str = TOKENS,
        tags_column: str = TAGS,
        encoding: str | None = None,
        split_seed: int = 0,
        **splits: Unpack[Sizes],
    ) -> Self:
        """The dataset of a file; default sizes are 64, 16 and 20 % of the sentences.

        The columns are those of tables. Reads the whole file. Raises UserError with a line that
        says what is wrong.
        """
        file = os.path.abspath(path)
        _read.cache_clear()  # the file may be another one than before
        found = _read(TagSource(file, tokens_column, tags_column, encoding))
        dataset = cls(
            **sizes(len(found.corpus.labels), splits),
            path=file,
            tokens_column=tokens_column,
            tags_column=tags_column,
            split_seed=split_seed,
            labels=found.labels,
            classes=len(found.labels),
            steps=int(np.diff(found.corpus.offsets).max()),
            given_encoding=encoding,
            content=found.sha256,
        )
        _prepared(dataset)  # raises UserError for sizes that do not fit
        return dataset

    def prepare(self, notify: Callable[[str], None]) -> None:
        _prepared(self)

    def contents(self, notify: Callable[[str], None]) -> Contents:
        found = self._read()
        counts = np.bincount(found.tags, minlength=self.classes).tolist()
        notes = list(found.notes)
        if spans.scheme(self.labels) and find_spec("seqeval") is None:
            notes.append("no F1 of spans without seqeval: pip install --use-pep517 seqeval")
        return Contents(
            task="tags",
            classes=dict(zip(self.labels, counts, strict=True)),
            rows=len(found.corpus.labels),
            splits=self.sizes(),
            notes=notes,
        ).with_lengths(np.diff(found.corpus.offsets))

    def limits(self) -> dict[str, int]:
        # With the start mark before each sentence; marks and the words of the training split.
        return {"sequence_length": self.steps + 1, "vocabulary": len(_prepared(self).words)}

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        prepared = _prepared(self)
        x = prepared.splits[split].encode(sequence_length, vocabulary).x
        return Arrays(x=x, y=prepared.tags[split].copy())

    def words(self, vocabulary: int) -> list[str]:
        return list(_prepared(self).words[:vocabulary])

    def fingerprint(self) -> str:
        return _prepared(self).fingerprint

    def to_mapping(self) -> dict[str, Any]:
        of_table = Path(self.path).suffix.lower() not in CONLL
        columns = {"tokens_column": self.tokens_column, "tags_column": self.tags_column}
        return super().to_mapping() | {
            "file": Path(self.path).name,
            "classes": self.classes,
            **(columns if of_table else {}),
            **({} if self.given_encoding is None else {"encoding": self.given_encoding}),
        }

    def _read(self) -> "_Read":
        source = TagSource(self.path, self.tokens_column, self.tags_column, self.given_encoding)
        found = _read(source)
        if found.sha256 != self.content:
            raise UserError(f"{self.path} has changed while it was in use; put it back")
        return found


@dataclass(frozen=True)
class _Read:
    """Sentences as a corpus, the class of each of its tokens, and what was made of the file."""

    corpus: text.Corpus
    tags: NDArray[np.int32]
    labels: tuple[str, ...]
    notes: tuple[str, ...]
    sha256: str


@functools.lru_cache(maxsize=2)
def _read(source: TagSource) -> _Read:
    found, raw = read(source)
    path = source.path
    if len(found.tokens) < MIN_ROWS:
        raise UserError(
            f"{path}: {len(found.tokens):,} sentences are too few, at least {MIN_ROWS}"
            + ("; is there a blank line after each?" if path.lower().endswith(CONLL) else "")
        )
    counts = Counter(tag for tags in found.tags for tag in tags)
    if not 2 <= len(counts) <= MAX_TAGS:
        raise UserError(
            f"{path}: {len(counts):,} different tags, for example {cut(next(iter(counts)))!r}; "
            f"from 2 to {MAX_TAGS} are needed: is the last column that of the tags?"
        )
    labels = spelling.ordered(counts)
    number_of = {label: number for number, label in enumerate(labels)}
    tags = np.fromiter((number_of[tag] for tags in found.tags for tag in tags), np.int32)
    texts: Any = found.tokens  # lists, which are tokens already
    corpus = text.Corpus.from_texts(texts, [0] * len(found.tokens), list)
    sha256 = hashlib.sha256(raw).hexdigest()
    told = [] if found.encoding == UTF8 else [f"read as {found.encoding}"]
    return _Read(corpus, tags, labels, (*told, *found.notes), sha256)


@dataclass(frozen=True)
class _Prepared:
    """The splits, ready to encode: `tags` has the classes of their steps, (n, steps)."""

    splits: dict[Split, text.Sequences]
    tags: dict[Split, NDArray[np.int32]]
    words: tuple[str, ...]
    fingerprint: str


@functools.lru_cache(maxsize=2)
def _prepared(dataset: TagFiles) -> _Prepared:
    found = dataset._read()
    rows = stratified(
        found.corpus.labels,
        found.corpus.copies(),
        train=dataset.train,
        validation=dataset.validation,
        test=dataset.test,
        seed=dataset.split_seed,
    )
    vocabulary = text.Vocabulary.fit(found.corpus, rows["train"])
    tags = {split: _padded(found, rows[split], dataset.steps) for split in SPLITS}
    columns = f"{dataset.tokens_column} {dataset.tags_column} {dataset.given_encoding}"
    return _Prepared(
        splits={s: text.Sequences.of(found.corpus, rows[s], vocabulary.ids) for s in SPLITS},
        tags=tags,
        words=vocabulary.words,
        fingerprint=text.digest(f"{found.sha256} {columns}", rows, tags),
    )


def _padded(found: _Read, rows: NDArray[np.int64], steps: int) -> NDArray[np.int32]:
    """The classes of some sentences' tokens, -1 in front: (n, steps)."""
    y = np.full((len(rows), steps), -1, np.int32)
    for each, row in zip(y, rows, strict=True):
        first, last = found.corpus.offsets[row : row + 2]
        each[steps - (last - first) :] = found.tags[first:last]
    return y
