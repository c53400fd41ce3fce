"""A cache for all tests, so that the real reviews are tokenised once; a small imdb.npz."""

import multiprocessing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dataset_testing import SMALL, KerasFile, keras_file, prepare, quiet, spoken

from harness.datasets import by_name
from harness.datasets.base.dataset import Dataset


@pytest.fixture(scope="session")
def first_use(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[list[str]]]:
    """Fill the cache with the real reviews from two processes at once; returns their lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            said = pool.map(prepare, ["imdb"] * 2, chunksize=1)
            pool.close()
            pool.join()
        yield said


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory for one test, which does not exist yet."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("HARNESS_CACHE", str(directory))
    return directory


@pytest.fixture(scope="session")
def keras_reviews(tmp_path_factory: pytest.TempPathFactory) -> KerasFile:
    return keras_file(tmp_path_factory.mktemp("keras"), 40, 30)


@pytest.fixture
def make_dataset(first_use: list[list[str]], keras_reviews: KerasFile) -> Callable[[str], Dataset]:
    """Any dataset by name, in a small size, ready to load."""

    def make(name: str) -> Dataset:
        if name == "translation":
            pytest.importorskip("num2words", reason="needs the package num2words")
        if name == "speech":
            return spoken()
        if name == "imdb-keras":
            dataset = by_name(name, data_dir=str(keras_reviews.directory), **SMALL)
        else:
            dataset = by_name(name)
        dataset.prepare(quiet)
        return dataset

    return make
