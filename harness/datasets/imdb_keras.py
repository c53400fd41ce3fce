"""The dataset `imdb-keras`: `keras.datasets.imdb` as tutorials use it, with its split and ids.

The file is `imdb.npz` from `--data-dir`, or from Keras's own downloads, or downloaded from where
Keras gets it. Ranks, start mark and shuffling are those of `keras.datasets.imdb.load_data()`, but
Keras is not imported: the process that prepares datasets never does.
"""

import functools
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.core.errors import UserError
from harness.datasets.base import cache, download, npz, text
from harness.datasets.base.contents import Contents, counts, task_of
from harness.datasets.base.dataset import SPLITS, Arrays, Dataset, Split

# Address and hashes as in keras/src/datasets/imdb.py of Keras 3.15.
_ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_NPZ, _NPZ_SHA256 = (
    "imdb.npz",
    "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
)
_WORDS, _WORDS_MD5 = "imdb_word_index.json", "bfafd718b763782e994055a2d397834f"
_SHUFFLE_SEED = 113  # load_data's default


@dataclass(frozen=True, kw_only=True)
class ImdbKeras(Dataset):
    """25,000 training and 25,000 test reviews of IMDB, positive (1) or negative (0).

    The splits are those of a tutorial that calls `load_data()` and `fit(validation_split=0.2)`. Of
    the shuffled training part, the last reviews are for validation and the first for training. The
    shuffled test part is for testing. The data are used as published: they are not stratified,
    splits may share duplicates, and word ranks are those of the authors. Smaller splits are parts
    of larger ones.
    """

    train: int = 20_000
    validation: int = 5_000
    test: int = 25_000
    data_dir: str | None = None

    name: ClassVar[str] = "imdb-keras"
    subject: ClassVar[str] = "IMDB reviews"
    labels: ClassVar[tuple[str, ...]] = ("negative", "positive")
    input: ClassVar[str] = "text"

    def prepare(self, notify: Callable[[str], None]) -> None:
        _parts(self.data_dir, notify)
        _prepared(self)  # raises UserError for sizes that do not fit

    def contents(self, notify: Callable[[str], None]) -> Contents:
        """See `Dataset.contents`; nothing is downloaded for it."""
        given = Contents(
            task=task_of(self.classes, self.steps),
            classes=dict.fromkeys(self.labels, 25_000),
            rows=50_000,
            splits=self.sizes(),
            notes=("figures as published: the file is downloaded before the first training",),
        )
        if not _is_here(self.data_dir):
            return given
        self.prepare(notify)
        _, parts = _parts(self.data_dir, notify)
        labels = np.concatenate([part.labels for part in parts])
        found = replace(
            given, classes=counts(labels, self.classes, self.labels), rows=len(labels), notes=()
        )
        return found.with_lengths(np.concatenate([np.diff(part.offsets) for part in parts]))

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        return _prepared(self).splits[split].encode(sequence_length, vocabulary)

    def words(self, vocabulary: int) -> list[str]:
        """See `Dataset.words`; raises UserError if Keras's word index is not available.

        Nothing else needs the index. Ids without a word are marked as unused.
        """
        ranks = _word_index(self.data_dir)
        words = list(text.MARKS) + [text.MARKS[-1]] * max(ranks.values(), default=0)
        for word, rank in ranks.items():
            words[rank + text.INDEX_FROM] = word
        return words[:vocabulary]

    def fingerprint(self) -> str:
        return _prepared(self).fingerprint


@dataclass(frozen=True)
class _Prepared:
    splits: dict[Split, text.Sequences]
    fingerprint: str


@functools.lru_cache(maxsize=2)  # usually only one is used; each takes up to 50 MB
def _prepared(dataset: ImdbKeras) -> _Prepared:
    """The splits of a dataset, ready to encode; computed once in a process."""
    source, (training, testing) = _parts(dataset.data_dir, notify=lambda line: None)
    rows = _rows(dataset, len(training.labels), len(testing.labels))
    part_of = {"train": training, "validation": training, "test": testing}
    highest = max(int(part.tokens.max(initial=0)) for part in (training, testing))
    ids = np.arange(highest + 1, dtype=np.int32) + text.INDEX_FROM
    splits = {split: text.Sequences.of(part_of[split], rows[split], ids) for split in SPLITS}
    return _Prepared(
        splits=splits,
        fingerprint=text.digest(source, rows, {s: splits[s].labels for s in SPLITS}),
    )


def _rows(dataset: ImdbKeras, n_training: int, n_testing: int) -> dict[Split, NDArray[np.int64]]:
    """The row numbers of each split within its part, in Keras's order."""
    train, validation, test = dataset.train, dataset.validation, dataset.test
    if train + validation > n_training:
        raise UserError(
            f"train + validation = {train:,} + {validation:,} = {train + validation:,} reviews, "
            f"but the training part has {n_training:,}: make one of them smaller"
        )
    if test > n_testing:
        raise UserError(
            f"test = {test:,} reviews, but the test part has {n_testing:,}: make it smaller"
        )
    random = np.random.RandomState(_SHUFFLE_SEED)  # one stream for both, as in load_data
    training, testing = np.arange(n_training), np.arange(n_testing)
    random.shuffle(training)
    random.shuffle(testing)
    return {
        "train": training[:train],
        "validation": training[n_training - validation :],
        "test": testing[:test],
    }


def _parts(
    data_dir: str | None, notify: Callable[[str], None]
) -> tuple[str, tuple[text.Corpus, text.Corpus]]:
    """The source's SHA-256, its training part and its test part; cached after the first call."""
    given = _given(data_dir, _NPZ)
    source = _NPZ_SHA256 if given is None else _sha256(given)

    def build() -> tuple[text.Corpus, text.Corpus]:
        path = given or _published(_NPZ, _NPZ_SHA256, notify)
        notify(f"imdb-keras: reading {path} (once; a few seconds)")
        return npz.read_part(path, "train"), npz.read_part(path, "test")

    def write(parts: tuple[text.Corpus, text.Corpus], directory: Path) -> None:
        for part, corpus in zip(("train", "test"), parts, strict=True):
            corpus.save(directory / part)

    def read(directory: Path) -> tuple[text.Corpus, text.Corpus]:
        return text.Corpus.open(directory / "train"), text.Corpus.open(directory / "test")

    return source, cache.cached(_key(source), build=build, write=write, read=read, notify=notify)


def _key(source: str) -> str:
    """The name of the cache entry of a file with this SHA-256."""
    return f"imdb-keras-{source[:16]}-{text.VERSION}"


def _is_here(data_dir: str | None) -> bool:
    """Whether the reviews can be read without a network."""
    if data_dir is not None or (cache.directory() / _key(_NPZ_SHA256)).exists():
        return True
    return any(download.has_hash(path, _NPZ_SHA256) for path in _local(_NPZ))


def _word_index(data_dir: str | None) -> dict[str, int]:
    """The rank of each word, from the file beside the reviews, or else from Keras's index."""
    path = _given(data_dir, _WORDS, must_exist=False)
    if path is None:
        npz_given = _given(data_dir, _NPZ)
        if npz_given is not None and not download.has_hash(npz_given, _NPZ_SHA256):
            raise UserError(
                f"{npz_given} is not the published file, so its words are not known; "
                f"put their {_WORDS} beside it"
            )
        path = _published(_WORDS, _WORDS_MD5, notify=lambda line: None)
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        if not all(isinstance(rank, int) and 0 < rank < 10_000_000 for rank in index.values()):
            raise ValueError("ranks that are not positive whole numbers")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise UserError(f"{path} is not a word index of Keras's layout: {error}") from error
    return dict(index)


def _given(data_dir: str | None, name: str, *, must_exist: bool = True) -> Path | None:
    """The user's own file; None if no directory was given, or an optional file is not there."""
    if data_dir is None:
        return None
    path = Path(data_dir).expanduser() / name
    if os.path.isfile(path):  # Path.is_file raises where the directory may not be searched
        return path
    if must_exist:
        raise UserError(f"there is no {name} in {data_dir}; name the directory that contains it")
    return None


def _published(name: str, published: str, notify: Callable[[str], None]) -> Path:
    """Keras's file with the right hash: from Keras's downloads, our cache or the network."""
    for path in _local(name):
        if download.has_hash(path, published):
            return path
    target = cache.directory() / name
    mend = f"give --data-dir DIR, a directory with Keras's {name} in it"
    download.fetch(_ORIGIN + name, target, published=published, mend=mend, notify=notify)
    return target


def _local(name: str) -> tuple[Path, ...]:
    """Where a file of Keras may be: among Keras's downloads, or in our cache."""
    return _keras_home() / "datasets" / name, cache.directory() / name


def _keras_home() -> Path:
    """The directory of Keras's downloads (see keras/src/backend/config.py)."""
    chosen = os.environ.get("KERAS_HOME")
    if chosen is not None:
        return Path(chosen).expanduser()
    home = os.path.expanduser("~")
    return Path(home if os.access(home, os.W_OK) else "/tmp", ".keras")


def _sha256(path: Path) -> str:
    try:
        return cache.sha256(path)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from error
