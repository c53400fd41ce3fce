"""The linear baseline learns what has no order, from texts, tokens and numbers."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from topics_testing import write_topics
from toys import Noise

from harness.datasets.base.dataset import Arrays, Split
from harness.datasets.files.texts import TextFiles
from harness.search import linear_model


@dataclass(frozen=True, kw_only=True)
class Made(Noise):
    """Examples that a function makes from random numbers."""

    made: Callable[[np.random.Generator, int], Arrays]
    features: int = 0  # type: ignore[misc]
    classes: int = 2  # type: ignore[misc]
    metric: str = "accuracy"  # type: ignore[misc]
    train: int = 300
    validation: int = 100
    test: int = 200

    def load(self, split: Split, *, sequence_length: int, vocabulary: int) -> Arrays:
        found = self.made(np.random.default_rng(len(split)), getattr(self, split))
        return Arrays(found.x[:, -sequence_length:], found.y)


def fit(
    dataset: Noise | TextFiles, length: int = 50, vocabulary: int = 1000
) -> linear_model.Fitted:
    return linear_model.fit(dataset, "test", sequence_length=length, vocabulary=vocabulary)


def test_it_learns_the_topics_of_texts_and_is_the_same_again(tmp_path: Path) -> None:
    dataset = TextFiles.of(write_topics(tmp_path / "topics.csv"))
    found = fit(dataset, length=200, vocabulary=10_000)
    assert found.scores.mean() > 0.9
    assert found.validated > 0.9
    assert found.loss < 0.5
    again = fit(dataset, length=200, vocabulary=10_000)
    assert (again.scores == found.scores).all()
    assert again.loss == found.loss


def test_of_very_many_texts_it_learns_from_some_and_scores_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = TextFiles.of(write_topics(tmp_path / "topics.csv", 600))
    whole = fit(dataset)
    monkeypatch.setattr(linear_model, "MAX_STEPS", 50 * 200)
    some = fit(dataset)
    assert len(some.scores) == len(whole.scores) == dataset.test
    assert some.loss != whole.loss
    assert some.scores.mean() > 0.9
    monkeypatch.setattr(linear_model, "MAX_STEPS", 50 * dataset.train)
    in_pieces = fit(dataset)
    assert (in_pieces.scores == whole.scores).all()


def test_pairs_of_words_are_terms_of_texts_alone() -> None:
    """Class 1 has the two words in the other order: each on its own says nothing."""

    def pairs(rng: np.random.Generator, n: int) -> Arrays:
        y = rng.integers(0, 2, n, dtype=np.int32)
        x = rng.integers(6, 30, (n, 12), dtype=np.int32)
        at = rng.integers(0, 11, n)
        x[np.arange(n), at], x[np.arange(n), at + 1] = 4 + y, 5 - y
        return Arrays(x, y)

    class Texts(Made):
        input = "text"

    assert fit(Texts(made=pairs)).scores.mean() > 0.9
    assert fit(Made(made=pairs)).scores.mean() < 0.7


def test_weights_are_those_of_scikit_learns_vectorizer() -> None:
    rows = [[0, 1, 4, 5, 4], [1, 2, 6, 4, 5], [0, 0, 1, 5, 5]]
    x = np.array(rows, np.int32)
    found = linear_model._tf_idf(x, pairs=True, classes=2)(x)
    vectorizer = TfidfVectorizer(
        analyzer=lambda row: [
            *((a,) for a in row if a > 3),
            *((a, b) for a, b in itertools.pairwise(row) if a > 3 and b > 3),
        ],
        sublinear_tf=True,
    )
    expected = vectorizer.fit_transform(rows).toarray()
    ours = found.toarray()
    assert ours.shape == expected.shape
    for matrix in (ours, expected):
        matrix.sort(axis=1)  # the columns have another order
    np.testing.assert_allclose(ours, expected)


def _numbers(rng: np.random.Generator, n: int) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    x = rng.normal(5, 3, (n, 10, 2)).astype(np.float32)
    return x, x[:, 0, 0] - x[:, 9, 1]


@pytest.mark.parametrize("most", [20_000, 10])
def test_numbers_have_a_logistic_or_ridge_regression(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first and last values are kept also where all steps are too many columns."""
    monkeypatch.setattr(linear_model, "MAX_COLUMNS", most)

    def classes(rng: np.random.Generator, n: int) -> Arrays:
        x, level = _numbers(rng, n)
        return Arrays(x, np.digitize(level, [-3, 3]).astype(np.int32))

    def targets(rng: np.random.Generator, n: int) -> Arrays:
        x, level = _numbers(rng, n)
        return Arrays(x, level.astype(np.float32))

    of_classes = fit(Made(made=classes, features=2, classes=3))
    assert of_classes.scores.mean() > 0.9
    assert of_classes.weights == 3 * (1 + (20 if most > 20 else 8))
    of_targets = fit(Made(made=targets, features=2, classes=0, metric="R²"))
    assert of_targets.scores.mean() > 0.99
    assert of_targets.validated > 0.99


def test_a_class_that_the_training_split_lacks_costs_much_but_stops_nothing() -> None:
    def rare(rng: np.random.Generator, n: int) -> Arrays:
        x = rng.integers(4, 20, (n, 5), dtype=np.int32)
        y = (x[:, 0] > 12).astype(np.int32)
        if n != 300:
            y[0] = 2
        return Arrays(x, y)

    found = fit(Made(made=rare, classes=3))
    assert np.isfinite(found.loss)
    assert found.loss > 5


@pytest.mark.parametrize("wrong", ["one class", "not a number"])
def test_data_that_cannot_be_fitted_are_a_value_error(wrong: str) -> None:
    def made(rng: np.random.Generator, n: int) -> Arrays:
        x = rng.normal(size=(n, 4, 1)).astype(np.float32)
        if wrong == "not a number":
            x[0, 0] = np.nan
        return Arrays(x, np.arange(n, dtype=np.int32) % 2 * (wrong != "one class"))

    with pytest.raises(ValueError, match=r"NaN|one class"):
        fit(Made(made=made, features=1))


def test_ids_that_are_no_words_leave_the_most_frequent_class() -> None:
    def marks(rng: np.random.Generator, n: int) -> Arrays:
        return Arrays(np.ones((n, 3), np.int32), np.arange(n, dtype=np.int32) % 4 // 3)

    assert fit(Made(made=marks)).scores.mean() == 0.75
