"""The contents of a dataset of the user's own class, as a hash.

Such a class names the source of its data with any text it likes, and the text may stay the same
where the data change.
"""

import hashlib

import numpy as np

from harness.datasets.base.dataset import SPLITS, Dataset
from harness.datasets.base.split_sequences import SplitNumbers
from harness.datasets.base.split_texts import SplitTexts, prepared
from harness.spec import own_modules


def contents(dataset: Dataset) -> str | None:
    """SHA-256, in hex, of all arrays; the dataset must be prepared.

    None for the harness's own datasets, and for a class with a `fingerprint` of its own: that one
    covers everything.
    """
    if not own_modules.is_own_module(type(dataset).__module__):
        return None
    if isinstance(dataset, SplitNumbers):
        arrays = [*dataset.whole()[:2]]
    elif isinstance(dataset, SplitTexts):
        found = prepared(dataset)
        splits = [found.splits[split] for split in SPLITS]
        arrays = [array for each in splits for array in (each.ids, each.ends, each.labels)]
        arrays.append(np.array(found.words))
    else:
        return None
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(f"{array.dtype.str} {array.shape}\n".encode())
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()
