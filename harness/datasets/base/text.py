"""From texts to padded sequences of word ids, by Keras's rules.

The steps: texts → `Corpus` (cached on disk) → `Vocabulary` of the training rows → `Sequences` of a
split → an array of the last `sequence_length` ids. All but the first step are fast.
"""

import hashlib
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.dataset import SPLITS, Arrays, Split
from harness.datasets.base.splits import repeated
from harness.datasets.base.tokenizers import Tokenizer, keras

VERSION = 1  # of the rules and files below; with a new number, cache entries are built again

# The ids are the defaults of keras.datasets.imdb.
PADDING, START, UNKNOWN = 0, 1, 2
INDEX_FROM = 3  # added to the rank of a word; ranks count from 1, so id 3 is unused
MARKS = ("<padding>", "<start>", "<unknown>", "<unused>")  # no tokenizer makes such words


@dataclass(frozen=True)
class Corpus:
    """Tokenised texts: row i is `tokens[offsets[i]:offsets[i + 1]]`, its class `labels[i]`.

    Tokens are word numbers; `words[number]` is the word.
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    labels: NDArray[np.int32]
    words: tuple[str, ...]

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], labels: Iterable[int], tokenizer: Tokenizer = keras
    ) -> Self:
        """Number the words of `texts` in the order of their first occurrence."""
        # A new word gets the next number. This runs in C: 6 million words take 1.5 s.
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        tokens = array("i")
        offsets = [0]
        for text in texts:
            tokens.extend(map(numbers.__getitem__, tokenizer(text)))
            offsets.append(len(tokens))
        return cls(
            tokens=np.frombuffer(tokens, np.int32) if tokens else np.zeros(0, np.int32),
            offsets=np.array(offsets, np.int64),
            labels=np.fromiter(labels, np.int32),
            words=tuple(numbers),
        )

    def save(self, directory: Path) -> None:
        """Write plain .npy files, and the words as UTF-8, each followed by a newline."""
        directory.mkdir(exist_ok=True)
        for name in ("tokens", "offsets", "labels"):
            np.save(directory / f"{name}.npy", getattr(self, name), allow_pickle=False)
        # As bytes: words may contain \r, \x85 or \u2028, at which text files and splitlines break.
        words = "".join(f"{word}\n" for word in self.words)
        (directory / "words.txt").write_bytes(words.encode("utf-8", "surrogatepass"))

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Read what `save` wrote; nothing is unpickled."""
        words = (directory / "words.txt").read_bytes().decode("utf-8", "surrogatepass")
        return cls(
            tokens=np.load(directory / "tokens.npy", allow_pickle=False),
            offsets=np.load(directory / "offsets.npy", allow_pickle=False),
            labels=np.load(directory / "labels.npy", allow_pickle=False),
            words=tuple(words.split("\n")[:-1]),
        )

    def copies(self) -> NDArray[np.bool_]:
        """For each row, whether another row has the same words in the same order."""
        rows = [
            self.tokens[start:end].tobytes()
            for start, end in zip(self.offsets[:-1], self.offsets[1:], strict=True)
        ]
        return repeated(rows)


@dataclass(frozen=True)
class Vocabulary:
    """`ids[number]` is the id of a word of the corpus; `words[id]` is the word of an id."""

    ids: NDArray[np.int32]
    words: tuple[str, ...]

    @classmethod
    def fit(cls, corpus: Corpus, rows: NDArray[np.int64]) -> Self:
        """Rank the words by their frequency in `rows`; ties by their first place in the corpus.

        Words that do not occur in `rows` are unknown.
        """
        tokens, _ = _concatenated(corpus, rows)
        counts = np.bincount(tokens, minlength=len(corpus.words))
        known = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
        ids = np.full(len(corpus.words), UNKNOWN, np.int32)
        ids[known] = np.arange(len(known)) + 1 + INDEX_FROM
        return cls(ids=ids, words=(*MARKS, *(corpus.words[number] for number in known)))


@dataclass(frozen=True)
class Sequences:
    """The ids of a split in one array, with the start mark before each row.

    Row i ends before `ends[i]`.
    """

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]
    labels: NDArray[np.int32]

    @classmethod
    def of(cls, corpus: Corpus, rows: NDArray[np.int64], ids: NDArray[np.int32]) -> Self:
        """The rows of a corpus; `ids[number]` is the id of a word number."""
        tokens, lengths = _concatenated(corpus, rows)
        ends = np.cumsum(lengths + 1)
        marked = np.empty(len(tokens) + len(rows), np.int32)
        is_word = np.ones(len(marked), bool)
        is_word[ends - lengths - 1] = False
        marked[~is_word] = START
        marked[is_word] = ids[tokens]
        return cls(ids=marked, ends=ends, labels=corpus.labels[rows])

    def encode(self, sequence_length: int, vocabulary: int) -> Arrays:
        """The last `sequence_length` ids of each row, padded in front, like pad_sequences of Keras.

        Ids of `vocabulary` and above become the unknown word. Raises UserError for a length below 1
        or a vocabulary without room for the marks.
        """
        check_encoding(sequence_length, vocabulary)
        # Because of the padding before the first row, a window that ends where a row ends always
        # exists. Its part in the rows before is then replaced by padding.
        flat = np.concatenate([np.zeros(sequence_length, np.int32), self.ids])
        windows = np.lib.stride_tricks.sliding_window_view(flat, sequence_length)
        x = windows[self.ends]
        x[x >= vocabulary] = UNKNOWN
        lengths = np.diff(self.ends, prepend=0)
        x[np.arange(sequence_length) < (sequence_length - lengths)[:, None]] = PADDING
        return Arrays(x=x, y=self.labels.copy())


def encode_texts(
    texts: Sequence[str], words: Sequence[str], sequence_length: int, tokenizer: Tokenizer = keras
) -> NDArray[np.int32]:
    """Texts as inputs of a model trained on `words` (by id): int32 (n, sequence_length)."""
    ids = {word: number for number, word in enumerate(words) if number > INDEX_FROM}
    x = np.full((len(texts), sequence_length), PADDING, np.int32)
    for row, text in enumerate(texts):
        found = [START, *(ids.get(word, UNKNOWN) for word in tokenizer(text))][-sequence_length:]
        x[row, sequence_length - len(found) :] = found
    return x


def digest(
    source: str, rows: Mapping[Split, NDArray[np.int64]], labels: Mapping[Split, NDArray[np.int32]]
) -> str:
    """SHA-256 of all that affects the arrays: the source's hash, rows and labels of each split."""
    whole = hashlib.sha256(f"{VERSION} {source}\n".encode())
    for split in SPLITS:
        whole.update(f"{split} {len(rows[split])}\n".encode())
        whole.update(rows[split].astype("<i8").tobytes())
        with np.errstate(invalid="ignore"):  # numbers to predict, which the source's hash covers
            whole.update(labels[split].astype("<i4").tobytes())
    return whole.hexdigest()


def _concatenated(
    corpus: Corpus, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The tokens of some rows in one array, and how many each row has."""
    starts = corpus.offsets[rows]
    lengths = corpus.offsets[rows + 1] - starts
    # Token k of the result is token k - (tokens before its row) + (the row's start) of the corpus.
    shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    return corpus.tokens[np.arange(len(shift)) + shift], lengths


def check_encoding(sequence_length: int, vocabulary: int) -> None:
    """Raises UserError for a length below 1 or a vocabulary without room for the marks."""
    if sequence_length < 1:
        raise UserError(f"sequence_length: {sequence_length} is less than 1")
    if vocabulary <= UNKNOWN:
        raise UserError(f"vocabulary: {vocabulary} leaves no room for the marks 0, 1 and 2")
