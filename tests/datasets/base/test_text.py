"""Tokenising, vocabulary and padding compared with simple slow versions, and with Keras."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from dataset_testing import padded
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.datasets.base.text import Corpus, Sequences, Vocabulary
from harness.datasets.base.tokenizers import FILTERS
from harness.datasets.base.tokenizers import keras as words_of

REVIEWS = [
    "It's GOOD, good-good!<br /><br />Good?",
    "bad\tbad\nit's\x85odd \u2028 a\r\nb",
    "",
    "good it's bad Éa",
    "good it's bad Éa!",
]
LABELS = [1, 0, 0, 1, 1]

texts = st.lists(
    st.text(st.sampled_from("abAB é\x85\u2028\r\x1c" + FILTERS), max_size=30), max_size=8
)


def encoded_slowly(
    reviews: list[str], training: list[int], rows: list[int], length: int, vocabulary: int
) -> list[list[int]]:
    """The definition: rank by training frequency, ties by first seen; 0, 1, 2 are marks."""
    everything = [word for review in reviews for word in words_of(review)]
    counts = Counter(word for row in training for word in words_of(reviews[row]))
    ranked = sorted(counts, key=lambda word: (-counts[word], everything.index(word)))
    ids = {word: rank + 3 for rank, word in enumerate(ranked, start=1)}
    raw = [[1] + [ids.get(word, 2) for word in words_of(reviews[row])] for row in rows]
    return padded([[i if i < vocabulary else 2 for i in row] for row in raw], length)


def test_words_follow_keras_rules() -> None:
    assert words_of("It's GOOD, good-good!<br />") == ["it's", "good", "good", "good", "br"]
    assert words_of("a\tb\nc  d") == ["a", "b", "c", "d"]
    assert words_of("a\x85b c\rd e\u2028f") == ["a\x85b", "c\rd", "e\u2028f"]
    assert words_of(FILTERS) == []


def test_words_are_numbered_as_they_appear() -> None:
    corpus = Corpus.from_texts(REVIEWS, LABELS)
    assert corpus.words[:5] == ("it's", "good", "br", "bad", "it's\x85odd")
    assert corpus.tokens[:7].tolist() == [0, 1, 1, 1, 2, 2, 1]
    assert corpus.offsets.tolist()[:4] == [0, 7, 13, 13]
    assert corpus.labels.tolist() == LABELS
    assert corpus.copies().tolist() == [False, False, False, True, True]


@settings(deadline=None)
@given(reviews=texts)
def test_a_corpus_survives_the_disk(
    reviews: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("corpus")
    corpus = Corpus.from_texts(reviews, [0] * len(reviews))
    corpus.save(directory)
    again = Corpus.open(directory)
    assert again.words == corpus.words
    for name in ("tokens", "offsets", "labels"):
        np.testing.assert_array_equal(getattr(again, name), getattr(corpus, name))
        assert getattr(again, name).dtype == getattr(corpus, name).dtype


def test_what_pickles_is_not_opened(tmp_path: Path) -> None:
    Corpus.from_texts(REVIEWS, LABELS).save(tmp_path)
    np.save(tmp_path / "labels.npy", np.array([[1], [2, 3]], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Corpus.open(tmp_path)


def test_the_vocabulary_is_that_of_the_training_rows() -> None:
    corpus = Corpus.from_texts(["b a a", "c c c c", "a d"], [0, 1, 0])
    vocabulary = Vocabulary.fit(corpus, np.array([0, 2]))
    assert vocabulary.words[4:] == ("a", "b", "d")
    sequences = Sequences.of(corpus, np.array([1, 2]), vocabulary.ids)
    assert sequences.encode(5, 100).x.tolist() == [[1, 2, 2, 2, 2], [0, 0, 1, 4, 6]]
    assert sequences.encode(5, 6).x.tolist() == [[1, 2, 2, 2, 2], [0, 0, 1, 4, 2]]


@settings(deadline=None)
@given(st.data())
def test_encoding_equals_the_definition(data: st.DataObject) -> None:
    reviews = data.draw(texts.filter(bool), "reviews")
    some = st.lists(st.integers(0, len(reviews) - 1), min_size=1, unique=True)
    training, rows = data.draw(some, "training"), data.draw(some, "rows")
    length = data.draw(st.integers(1, 12), "length")
    vocabulary = data.draw(st.integers(3, 12), "vocabulary")
    corpus = Corpus.from_texts(reviews, range(len(reviews)))
    ids = Vocabulary.fit(corpus, np.array(training)).ids
    arrays = Sequences.of(corpus, np.array(rows), ids).encode(length, vocabulary)
    assert arrays.x.tolist() == encoded_slowly(reviews, training, rows, length, vocabulary)
    assert arrays.y.tolist() == rows
    assert arrays.x.dtype == np.int32


@pytest.mark.slow
def test_words_and_padding_are_keras_own() -> None:
    import keras
    from keras.src.legacy.preprocessing.text import text_to_word_sequence

    @settings(deadline=None)
    @given(texts)
    def same_words(reviews: list[str]) -> None:
        for review in reviews:
            assert words_of(review) == text_to_word_sequence(review)

    same_words()
    corpus = Corpus.from_texts(REVIEWS, LABELS)
    rows = np.arange(len(REVIEWS))
    ids = Vocabulary.fit(corpus, rows).ids
    raw = [[1] + [int(ids[corpus.words.index(word)]) for word in words_of(r)] for r in REVIEWS]
    for length in (1, 3, 8, 40):
        np.testing.assert_array_equal(
            Sequences.of(corpus, rows, ids).encode(length, 1000).x,
            keras.utils.pad_sequences(raw, maxlen=length),
        )
