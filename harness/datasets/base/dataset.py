"""What a dataset is: a name, the sizes of its splits, and how they are prepared and loaded."""

import abc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from harness.core.checks import is_whole
from harness.core.errors import UserError
from harness.datasets.base.contents import Contents, counts, task_of
from harness.datasets.base.signature import Signature
from harness.datasets.base.windows import Windows

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Arrays:
    """One split, encoded.

    `x` has ids of tokens, int32 (n, sequence_length), or numbers, float32 (n, sequence_length,
    features). `y` has class numbers, int32 (n,), or those of each of the last steps, int32
    (n, steps), or numbers to predict, float32 (n,). The class of a step of padding is -1.
    """

    x: NDArray[Any]
    y: NDArray[Any]

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """Equal for splits that one program can train on, given its hyperparameters."""
        return (len(self),)

    @property
    def inputs(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """What a program gets, besides the places of its examples."""
        return self.x, self.y

    def places(self, examples: NDArray[Any]) -> NDArray[Any]:
        """Where a program finds examples in its inputs."""
        return examples

    def examples(self, which: NDArray[Any] | slice) -> tuple[NDArray[Any], NDArray[Any]]:
        """Inputs and targets of some examples."""
        return self.x[which], self.y[which]

    def pieces(self, like: Any) -> Iterator["Arrays"]:
        """The examples in order, in parts whose arrays are as large as those of `like`."""
        size = len(like)
        for first in range(0, len(self), size):
            x, y = self.examples(slice(first, first + size))
            whole = (np.resize(array, (size, *array.shape[1:])) for array in (x, y))
            yield Piece(*whole, length=len(x))  # type: ignore[misc, arg-type]


@dataclass(frozen=True)
class Piece(Arrays):
    """Arrays of which only the first `length` examples count."""

    length: int = 0

    def __len__(self) -> int:
        return self.length


Examples = Arrays | Windows


@dataclass(frozen=True, kw_only=True)
class Dataset(abc.ABC):
    """A dataset with the sizes of its three splits (examples).

    A subclass is one file of this package: `imdb_keras.py` has the dataset named `imdb-keras`.
    Instances are small, immutable and picklable, because they are sent to the workers.
    """

    train: int
    validation: int
    test: int

    name: ClassVar[str]
    classes: ClassVar[int] = 2  # 0: the target is a number (regression)
    features: ClassVar[int] = 0  # numbers in each time step; 0: time steps are tokens
    steps: ClassVar[int] = 0  # how many of the last time steps have their own class; 0: none
    ragged: ClassVar[bool] = False  # whether some of these steps are padding, of class -1
    labels: ClassVar[tuple[str, ...]] = ()  # the names of the classes; () for their numbers
    # What a study's question calls it, so that the same question can be asked about a file.
    subject: ClassVar[str] = ""
    # "balanced accuracy" gives classes of very different sizes the same weight; "R²" is the
    # explained share of the variance, where numbers are predicted
    metric: ClassVar[str] = "accuracy"
    tokenizer: ClassVar[str] = "keras"  # for texts: see tokenizers.py
    encoding: ClassVar[str] = (
        "ids by line of vocabulary.txt, from 0: 0 padding in front, 1 before the first word, 2 for "
        "words not in it; the last sequence_length ids"
    )
    folds: ClassVar[int] = 1  # blocks of test times, each with a training of its own
    input: ClassVar[str] = "tokens"  # or "text" for words of texts, or "numbers"

    def __post_init__(self) -> None:
        for split, least in (("train", 1), ("validation", 1), ("test", 0)):
            size = getattr(self, split)
            if not is_whole(size):
                raise UserError(f"{split}: {size!r} is not a whole number of examples")
            if size < least:
                raise UserError(f"{split}: {size} examples are too few, at least {least}")

    @abc.abstractmethod
    def prepare(self, notify: Callable[[str], None]) -> None:
        """Fill the cache, once; several processes may do it at the same time.

        `notify` gets a line about each thing that takes seconds. Raises UserError for sizes that
        do not fit, a missing network or a damaged file.
        """

    @abc.abstractmethod
    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Examples:
        """Encode a split: the last `sequence_length` steps of each example, padded in front.

        Ids of tokens are those of Keras: 0 padding, 1 start, 2 unknown, frequency rank of the
        word + 3. Ids of `vocabulary` and above become 2. Takes milliseconds, except for the first
        call in a process, which reads the cache. `prepare` must have run before.
        """

    def contents(self, notify: Callable[[str], None]) -> Contents:
        """What the dataset was understood to be, to be said before anything is trained.

        Prepares it where that is necessary. The classes of a class of the user's own are not
        counted: only workers load such data, where an error costs a trial and not the study.
        """
        self.prepare(notify)
        classes: dict[str, int] = {}
        if self.classes and type(self).__module__.startswith("harness."):
            length = max(1, self.steps)
            y = [self.load(each, sequence_length=length, vocabulary=4).y for each in SPLITS]
            classes = dict(counts(np.concatenate(y), self.classes, self.labels))
        return Contents(
            task=task_of(self.classes, self.steps),
            classes=classes,
            rows=self.train + self.validation + self.test,
            splits=self.sizes(),
            features=self.features,
            length=self.limits().get("sequence_length"),
        )

    def sizes(self) -> dict[str, int]:
        """The number of examples of each split."""
        return {split: getattr(self, split) for split in SPLITS}

    @property
    def signature(self) -> Signature:
        """The inputs and outputs of a model for this dataset."""
        return Signature(
            classes=self.classes, features=self.features, steps=self.steps, ragged=self.ragged
        )

    def scaling(self) -> dict[str, list[float]]:
        """Means and standard deviations with which numbers are standardised.

        Users of a model need them: `x_mean` and `x_std` of each feature, `y_mean` and `y_std` of
        the target. Empty if nothing is standardised.
        """
        return {}

    def for_sequences(self, longest: int) -> Self:
        """The dataset as a study uses it that reads at most `longest` steps.

        A forecast leaves gaps of this length between its splits; nothing else depends on it.
        """
        return self

    def of_fold(self, fold: int) -> Self:
        """The dataset with the splits of a fold, from 1; see `harness.datasets.base.forecast`."""
        return self

    def check_length(self, sequence_length: int) -> None:  # noqa: B027 - most datasets take any
        """Raises UserError for sequences that the dataset can't have."""

    def facts(self) -> dict[str, Any]:
        """What reports and users of a model need besides `to_mapping`; it must be prepared."""
        return {}

    def fed_back(self, vocabulary: int) -> NDArray[np.int32]:
        """For each class, the id that a decoder reads after it has written that class."""
        raise NotImplementedError(f"dataset {self.name} has nothing to decode")

    def limits(self) -> dict[str, int]:
        """The largest useful values of `sequence_length` and `vocabulary`, if they are known."""
        return {}

    @abc.abstractmethod
    def words(self, vocabulary: int) -> list[str]:
        """The vocabulary by id: `words(v)[i]` is the word with id i; ids 0–3 are marks.

        Shorter than `vocabulary` if the training split has fewer words; empty for numbers.
        """

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """SHA-256, in hex, of the data and the splits: equal if all arrays are equal.

        It does not depend on where the data are stored. `prepare` must have run before.
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
        """Its part of the study's fingerprint: name, sizes, and the metric if not accuracy."""
        return {
            "name": self.name,
            "train": self.train,
            "validation": self.validation,
            "test": self.test,
            **({} if self.metric == "accuracy" else {"metric": self.metric}),
        }
