"""Splits of a labelled corpus: stratified, repeatable, and without twins across splits."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base.dataset import SPLITS, Dataset, Split


@dataclass(frozen=True, kw_only=True)
class SplitBySeed(Dataset):
    """A dataset whose splits are drawn from one whole, by `split_seed`."""

    split_seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.split_seed < 2**32:
            raise UserError(f"split_seed: {self.split_seed} is not between 0 and 4,294,967,295")

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {"split_seed": self.split_seed}


def repeated(contents: Sequence[bytes]) -> NDArray[np.bool_]:
    """For each content, whether there is another like it."""
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
) -> dict[Split, NDArray[np.int64]]:
    """Row numbers of each split, in random order; `labels` and `copies` have one value a row.

    Every split has the classes in the proportions of the whole (two classes of one size differ by
    at most one row). Rows marked as copies are never in the validation or the test split: a twin
    there would have been seen in training.

    The validation split is taken from the front of one shuffled sequence, the test split from
    behind it, the training split from the end. So, whatever the other sizes, a smaller validation
    split is part of a larger one, with the same validation size a smaller test split is part of a
    larger one, and with the same two a smaller training split is part of a larger one. In
    particular a quick look at smaller splits never validates on rows of the full test split.

    Raises UserError when the sizes do not fit.
    """
    n = len(labels)
    held_out = validation + test
    if train + held_out > n:
        raise UserError(
            f"train + validation + test = {train:,} + {validation:,} + {test:,} = "
            f"{train + held_out:,} examples, but there are {n:,}: make one of them smaller"
        )
    # RandomState's stream is frozen for ever; that of numpy's Generator is not.
    shuffled = np.random.RandomState(seed).permutation(n).astype(np.int64)

    sequence = np.empty(n, np.int64)
    class_of_place = _interleaved(labels)
    for number in np.unique(labels):
        rows = shuffled[labels[shuffled] == number]
        places = class_of_place == number
        wanted = int(places[:held_out].sum())
        singles = rows[~copies[rows]]
        if wanted > len(singles):
            raise UserError(
                f"validation + test = {validation:,} + {test:,} needs {wanted:,} examples of "
                f"class {number}, but only {len(singles):,} occur once (copies of one text are "
                "kept for training): make one of them smaller"
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
    """The labels in an order of which every stretch holds the classes in proportion.

    With two classes of one size: 0, 1, 0, 1, …
    """
    numbers, counts = np.unique(labels, return_counts=True)
    classes = np.repeat(numbers, counts)
    at = np.concatenate([(np.arange(count) + 0.5) / count for count in counts])
    return classes[np.lexsort((classes, at))]
