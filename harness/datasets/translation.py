"""The dataset `translation`: numbers in English words to French words, by `num2words`."""

import functools
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.metrics import EXACT
from harness.datasets.base.dataset import Split
from harness.datasets.base.generated import Drawn, GeneratedTask
from harness.datasets.base.signature import Signature
from harness.datasets.base.text import INDEX_FROM, UNKNOWN

ENGLISH = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
    *("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
    *("hundred", "thousand", "and"),
)
FRENCH = (
    *("un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze"),
    *("douze", "treize", "quatorze", "quinze", "seize", "vingt", "vingts", "trente", "quarante"),
    *("cinquante", "soixante", "cent", "cents", "mille", "et"),
)
LONGEST_ENGLISH, LONGEST_FRENCH = 11, 13  # words of a number below a million
GO, END = "<go>", "<end>"
SHARES: dict[Split, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}  # of all numbers


@dataclass(frozen=True, kw_only=True)
class Translation(GeneratedTask):
    """`three hundred and eighty one` is `trois cent quatre vingt un`: numbers of up to six digits.

    An encoder reads the English words, and a decoder writes the French ones, as in Cho et al.,
    "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    EMNLP 2014: the encoder's last output is an input of the decoder at each of its steps. In
    training the decoder reads the right words before; for scores it reads its own, the most
    probable one each time. An example counts as right if all words are. The splits have different
    numbers, so none that is scored was seen in training. Always the same answer gets 0 %; the rules
    of both languages solve the task.
    """

    train: int = 4_000
    validation: int = 1_000
    test: int = 2_000
    digits: int = 6

    name: ClassVar[str] = "translation"
    classes: ClassVar[int] = 1 + len(FRENCH)
    steps: ClassVar[int] = LONGEST_FRENCH + 1
    labels: ClassVar[tuple[str, ...]] = (END, *FRENCH)
    metric: ClassVar[str] = EXACT
    symbols: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys((GO, END, *ENGLISH, *FRENCH)))
    difficulty: ClassVar[str] = "digits"
    least: ClassVar[dict[str, int]] = {"digits": 4}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.digits > 6:
            raise UserError(f"digits: {self.digits} is above 6; choose 4 to 6")
        for split, share in SHARES.items():
            most = int(share * 10**self.digits)
            if getattr(self, split) > most:
                raise UserError(
                    f"{split}: {getattr(self, split):,} examples, but of the numbers of "
                    f"{self.digits} digits {most:,} are for it; make it smaller"
                )

    @property
    def signature(self) -> Signature:
        return Signature(classes=self.classes, steps=self.steps, decodes=True)

    @property
    def longest(self) -> int:
        return 1 + LONGEST_ENGLISH + self.steps

    def check_length(self, sequence_length: int) -> None:
        if sequence_length < self.longest:
            raise UserError(
                f"sequence_length: dataset {self.name} needs {self.longest} steps, "
                f"{self.longest - self.steps} to read and {self.steps} to write; not "
                f"{sequence_length}"
            )

    def prepare(self, notify: Callable[[str], None]) -> None:
        if importlib.util.find_spec("num2words") is None:
            raise UserError(
                "dataset translation needs the package num2words: pip install -e '.[translation]'"
            )

    def draw_block(self, split: Split, number: int) -> Drawn:
        self.prepare(lambda line: None)
        numbers = _numbers(self.data_seed, self.digits)[split]
        place = {word: at for at, word in enumerate(self.symbols)}
        label = {word: at for at, word in enumerate(self.labels)}
        examples, answers = [], []
        for each in numbers[number * self.block : (number + 1) * self.block].tolist():
            english, french = words(each, "en"), words(each, "fr")
            answer = [*french, *[END] * (self.steps - len(french))]
            read = [*english, GO, *answer[:-1]]
            examples.append(np.array([place[word] for word in read], np.int64))
            answers.append([label[word] for word in answer])
        return examples, np.array(answers, np.int64)

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {"decodes": True}

    def fed_back(self, vocabulary: int) -> NDArray[np.int32]:
        """The id that the decoder reads after it has written a class, for each class.

        As in `load`, words that are not in the vocabulary are unknown.
        """
        ids = np.array([self.symbols.index(word) + INDEX_FROM + 1 for word in self.labels])
        return np.where(ids < vocabulary, ids, UNKNOWN).astype(np.int32)


def words(number: int, language: str) -> list[str]:
    """A number in words, parts of words with hyphens one by one."""
    from num2words import num2words

    said: str = num2words(number, lang=language)
    return said.replace(",", "").replace("-", " ").split()


@functools.lru_cache(maxsize=2)
def _numbers(seed: int, digits: int) -> dict[Split, NDArray[np.int64]]:
    """The numbers of each split, in random order; none is in two of them."""
    # RandomState always gives the same numbers; NumPy's Generator may change between versions.
    order = np.random.RandomState(seed).permutation(10**digits - 1) + 1
    found, first = {}, 0
    for split, share in SHARES.items():
        last = first + round(share * 10**digits)
        found[split] = order[first:last].astype(np.int64)
        first = last
    return found
