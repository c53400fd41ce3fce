"""What a dataset is: named, sized, prepared once, loaded as arrays by split."""

import abc
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

from numpy.typing import NDArray

from harness.core.checks import is_whole
from harness.core.errors import UserError
from harness.datasets.base.signature import Signature

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Arrays:
    """One split, encoded.

    `x` int32 (n, sequence_length) are ids of tokens, or float32 (n, sequence_length, features).
    `y` int32 (n,) are class numbers, (n, steps) those of each of the last steps; float32 (n,) are
    numbers to predict.
    """

    x: NDArray[Any]
    y: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Dataset(abc.ABC):
    """A dataset with the sizes of its three splits (examples).

    A subclass is one file of this package: `imdb_keras.py` holds the dataset named `imdb-keras`.
    Instances are small, immutable and picklable: they travel to the workers; arrays do not.
    """

    train: int
    validation: int
    test: int

    name: ClassVar[str]
    classes: ClassVar[int] = 2  # 0: the target is a number (regression)
    features: ClassVar[int] = 0  # numbers a time step; 0: time steps are tokens
    steps: ClassVar[int] = 0  # so many last time steps have a class each; 0: one for all
    labels: ClassVar[tuple[str, ...]] = ()  # what the classes are called; () for their numbers
    # "balanced accuracy" weighs classes alike: for classes of very different sizes; "R²" is the
    # share of the variance explained: for numbers
    metric: ClassVar[str] = "accuracy"
    tokenizer: ClassVar[str] = "keras"  # of texts: see tokenizers.py
    encoding: ClassVar[str] = (
        "ids by line of vocabulary.txt, from 0: 0 padding in front, 1 before the first word, 2 for "
        "words not in it; the last sequence_length ids"
    )
    input: ClassVar[str] = "tokens"  # "text" where they are words of texts; "numbers"

    def __post_init__(self) -> None:
        for split, least in (("train", 1), ("validation", 1), ("test", 0)):
            size = getattr(self, split)
            if not is_whole(size):
                raise UserError(f"{split}: {size!r} is not a whole number of examples")
            if size < least:
                raise UserError(f"{split}: {size} examples are too few, at least {least}")

    @abc.abstractmethod
    def prepare(self, notify: Callable[[str], None]) -> None:
        """Make the cache, once; safe when several processes do it at the same time.

        `say` gets a line for whatever takes seconds. Raises UserError with a line that says how
        to mend it (sizes that do not fit, no network, a damaged file).
        """

    @abc.abstractmethod
    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        """Encode a split to the last `sequence_length` steps of each example, padded in front.

        Ids of tokens are Keras's: 0 padding, 1 start, 2 unknown, a word's frequency rank + 3; ids
        from `vocabulary` on become 2. Costs milliseconds, but for a process's first call, which
        reads the cache. `prepare` must have run.
        """

    @property
    def signature(self) -> Signature:
        """What a model of this dataset takes and gives."""
        return Signature(classes=self.classes, features=self.features, steps=self.steps)

    def scaling(self) -> dict[str, list[float]]:
        """Means and standard deviations by which numbers are standardised, for users of a model:
        of each feature `x_mean`, `x_std`, of the target `y_mean`, `y_std`; empty for none.
        """
        return {}

    def limits(self) -> dict[str, int]:
        """The most of `sequence_length` or `vocabulary` that a model can make use of, if known."""
        return {}

    @abc.abstractmethod
    def words(self, vocabulary: int) -> list[str]:
        """The vocabulary by id: `words(v)[i]` is the word of id i; ids 0–3 are marks.

        Shorter than `vocabulary` when the training split has fewer words; empty for numbers.
        """

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the data and the split: equal when all arrays are.

        Where the data lies on the machine is no part of it. `prepare` must have run.
        """

    def smaller(self, train: int, validation: int, test: int) -> Self:
        """The same dataset with at most these sizes, for a quick look."""
        return replace(
            self,
            train=min(self.train, train),
            validation=min(self.validation, validation),
            test=min(self.test, test),
        )

    def to_mapping(self) -> dict[str, Any]:
        """What the study's fingerprint holds of it: name and sizes; the metric, if another."""
        return {
            "name": self.name,
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            **({} if self.metric == "accuracy" else {"metric": self.metric}),
        }
