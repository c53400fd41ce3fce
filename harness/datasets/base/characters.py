"""Texts as streams of characters, each of which is predicted from those before it.

An example has `predicted` characters to predict, one after another; the next example goes on where
it ends. The model reads `sequence_length` characters up to the one before the last. Where these are
more than `predicted`, every predicted character has at least so many characters before it, and all
lengths are scored on the same characters.
"""

import abc
import functools
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from harness.core.checks import check_whole
from harness.core.errors import UserError
from harness.core.metrics import BITS
from harness.datasets.base.contents import Contents
from harness.datasets.base.dataset import SPLITS, Arrays, Dataset, Split
from harness.datasets.base.signature import Signature
from harness.datasets.base.text import INDEX_FROM, MARKS, START, UNKNOWN, check_encoding

BLANK = "␣"  # how a blank is shown, since tokens stand between blanks


@dataclass(frozen=True, kw_only=True)
class CharacterTexts(Dataset):
    """Streams of characters. The sizes count examples of `predicted` characters each.

    White space counts as one blank. The `alphabet` most frequent characters of the training split
    are told apart; all others are one, called unknown. Scores are bits per character: the mean of
    -log2 of the probability that a model gave to the character that follows.
    """

    predicted: int = 50
    alphabet: int = 96

    metric: ClassVar[str] = BITS
    encoding: ClassVar[str] = (
        "ids by line of vocabulary.txt, from 0: 0 padding in front, 1 before the first character, "
        "2 for characters not in it; the last sequence_length ids"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("predicted", self.predicted, 1)
        check_whole("alphabet", self.alphabet, 2)

    @abc.abstractmethod
    def streams(self) -> dict[Split, str]:
        """The text of each split, with blanks alone as white space; longer ones are cut off."""

    @property
    def steps(self) -> int:  # type: ignore[override]
        return self.predicted

    @property
    def classes(self) -> int:  # type: ignore[override]
        return len(streamed(self).characters) + 1

    @property
    def labels(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*_shown(self), MARKS[UNKNOWN])

    @property
    def signature(self) -> Signature:
        return Signature(classes=self.classes, steps=self.steps, bits=True)

    def prepare(self, notify: Callable[[str], None]) -> None:
        streamed(self)

    def contents(self, notify: Callable[[str], None]) -> Contents:
        found = super().contents(notify)
        unknown = found.classes[MARKS[UNKNOWN]] / sum(found.classes.values())
        return found.with_notes(
            [
                f"each example has {self.predicted} characters to predict; {100 * unknown:.2g} % "
                "of them are rare ones, which count as one"
            ]
        )

    def limits(self) -> dict[str, int]:
        return {"vocabulary": len(MARKS) + len(streamed(self).characters)}

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        check_encoding(sequence_length, vocabulary)
        y = streamed(self).ids[split].reshape(-1, self.predicted)
        ids = y.ravel() + INDEX_FROM + 1
        ids = np.where(y.ravel() == self.classes - 1, UNKNOWN, ids)
        ids = np.where(ids < vocabulary, ids, UNKNOWN)
        before = max(0, sequence_length - self.predicted)
        read = np.concatenate([np.zeros(before, np.int32), [START], ids[:-1]])[: before + len(ids)]
        first = np.arange(len(y)) * self.predicted + max(0, self.predicted - sequence_length)
        x = read[first[:, None] + np.arange(sequence_length)]
        return Arrays(x.astype(np.int32), y.astype(np.int32))

    def smaller(self, train: int, validation: int, test: int) -> Self:
        return super().smaller(*map(whole_batches, (train, validation, test)))

    def words(self, vocabulary: int) -> list[str]:
        return [*MARKS, *_shown(self)][:vocabulary]

    def fingerprint(self) -> str:
        found = streamed(self)
        digest = hashlib.sha256(f"{self.predicted} {found.characters}\n".encode())
        for split in SPLITS:
            digest.update(found.ids[split].tobytes() + b"|")
        return digest.hexdigest()

    def to_mapping(self) -> dict[str, Any]:
        own = {"predicted": self.predicted, "alphabet": self.alphabet, "bits": True}
        return super().to_mapping() | own


def characters(text: str) -> list[str]:
    """The characters of a text as the vocabulary has them; white space counts as one blank."""
    return [BLANK if each.isspace() else each for each in re.findall(r"\s+|\S", text)]


def whole_batches(examples: int) -> int:
    """The number rounded down to a multiple of 64 or 32, so that usual batch sizes divide it."""
    unit = 64 if examples >= 64 else 32
    return examples - examples % unit if examples >= unit else examples


@dataclass(frozen=True)
class Streams:
    """The characters of each split as numbers, int32 (examples · predicted,), and the alphabet.

    Character i of `characters`, most frequent first, has the number i; all others have the next
    number after the last.
    """

    ids: dict[Split, NDArray[np.int32]]
    characters: str


@functools.lru_cache(maxsize=2)
def streamed(dataset: CharacterTexts) -> Streams:
    """The streams of a dataset, computed once in a process. Raises UserError for short texts."""
    codes = {}
    for split, text in dataset.streams().items():
        wanted = getattr(dataset, split) * dataset.predicted
        if len(text) < wanted:
            raise UserError(
                f"{split}: {getattr(dataset, split):,} examples of {dataset.predicted} characters "
                f"need {wanted:,}, but its part of the text has {len(text):,}: make it smaller"
            )
        codes[split] = np.frombuffer(text[:wanted].encode("utf-32-le", "surrogatepass"), "<u4")
    found, counts = np.unique(codes["train"], return_counts=True)
    if len(found) < 2:
        raise UserError("train: its part of the text has one character alone; give another text")
    kept = found[np.argsort(-counts, kind="stable")[: dataset.alphabet]]
    order = np.argsort(kept)
    ids = {}
    for split, each in codes.items():
        places = np.minimum(np.searchsorted(kept[order], each), len(kept) - 1)
        known = kept[order][places] == each
        ids[split] = np.where(known, order[places], len(kept)).astype(np.int32)
    return Streams(ids, "".join(map(chr, kept)))


def _shown(dataset: CharacterTexts) -> list[str]:
    return [BLANK if each == " " else each for each in streamed(dataset).characters]
