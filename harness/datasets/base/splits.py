"""Splits of a labelled corpus: stratified, repeatable, and without shared duplicates."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.core.text import cut
from harness.datasets.base.dataset import SPLITS, Dataset, Split


@dataclass(frozen=True, kw_only=True)
class SplitBySeed(Dataset):
    """A dataset whose splits are drawn from one set of examples, by `split_seed`."""

    split_seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.split_seed < 2**32:
            raise UserError(f"split_seed: {self.split_seed} is not between 0 and 4,294,967,295")

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {"split_seed": self.split_seed}


def repeated(contents: Sequence[bytes]) -> NDArray[np.bool_]:
    """For each content, whether it occurs more than once."""
    seen = Counter(contents)
    return np.array([seen[content] > 1 for content in contents], bool)


def stratified(
    labels: NDArray[np.int32],
    copies: NDArray[np.bool_],
    *,
    train: int,
    validation: int,
    test: int,
    seed: int,
    names: Sequence[str] = (),
) -> dict[Split, NDArray[np.int64]]:
    """Row numbers of each split, in random order; `labels` and `copies` have a value for each row.

    `names` are those of the classes, for messages; () for groups that have none.

    Every split has the classes in the same proportions as all rows (two classes of equal size
    differ by at most one row). Rows marked as copies are only in the training split. Otherwise a
    copy in the validation or test split could have been seen in training.

    The rows are shuffled once. The validation split is taken from the beginning of that sequence,
    the test split follows it, and the training split is taken from the end. This has three
    effects:
    - A smaller validation split is part of a larger one.
    - With the same validation size, a smaller test split is part of a larger one.
    - With the same sizes of both, a smaller training split is part of a larger one.
    So a quick run with smaller splits never validates on rows of the full test split.

    Raises UserError if the sizes do not fit.
    """
    n = len(labels)
    held_out = validation + test
    if train + held_out > n:
        raise UserError(
            f"train + validation + test = {train:,} + {validation:,} + {test:,} = "
            f"{train + held_out:,} examples, but there are {n:,}: make one of them smaller"
        )
    # RandomState always gives the same numbers; NumPy's Generator may change between versions.
    shuffled = np.random.RandomState(seed).permutation(n).astype(np.int64)

    sequence = np.empty(n, np.int64)
    class_of_place = _interleaved(labels)
    for number in np.unique(labels):
        rows = shuffled[labels[shuffled] == number]
        places = class_of_place == number
        wanted = int(places[:held_out].sum())
        singles = rows[~copies[rows]]
        if wanted > len(singles):
            of_class = f" of class {cut(names[number])!r}" if names else ""
            raise UserError(
                f"validation + test = {validation:,} + {test:,} needs {wanted:,} "
                f"examples{of_class} that occur once, but there are {len(singles):,} (copies are "
                "kept for training): leave out repeated rows and add others"
                + (", or make validation or test smaller in a study file" * bool(len(singles)))
            )
        rest = rows[~np.isin(rows, singles[:wanted])]
        sequence[places] = np.concatenate([singles[:wanted], rest])

    chosen = (sequence[:validation], sequence[validation:held_out], sequence[n - train :])
    place = np.empty(n, np.int64)
    place[shuffled] = np.arange(n)
    # Back to random order: the sequence alternates between the classes.
    by_split = dict(zip(("validation", "test", "train"), chosen, strict=True))
    return {split: rows[np.argsort(place[rows])] for split in SPLITS for rows in [by_split[split]]}


def _interleaved(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """The labels in an order in which every section has the classes in the same proportions.

    With two classes of equal size: 0, 1, 0, 1, …
    """
    numbers, counts = np.unique(labels, return_counts=True)
    classes = np.repeat(numbers, counts)
    at = np.concatenate([(np.arange(count) + 0.5) / count for count in counts])
    return classes[np.lexsort((classes, at))]
