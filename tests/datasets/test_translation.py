"""Numbers in two languages: no number is in two splits, and the words are those of num2words."""

import numpy as np
import pytest

from harness import Translation
from harness.core.errors import UserError
from harness.datasets import translation
from harness.datasets.base.dataset import SPLITS

pytest.importorskip("num2words", reason="needs the package num2words")


def read(dataset: Translation, split: str) -> list[tuple[str, str, str]]:
    """What the encoder reads, what the decoder reads, and the answer, of each example."""
    words = dataset.words(dataset.ids())
    arrays = dataset.load(split, sequence_length=dataset.longest, vocabulary=dataset.ids())
    found = []
    for row, answer in zip(arrays.x, arrays.y, strict=True):
        told = [words[number] for number in row]
        source = " ".join(word for word in told[: -dataset.steps] if not word.startswith("<"))
        written = " ".join(dataset.labels[number] for number in answer)
        found.append((source, " ".join(told[-dataset.steps :]), written))
    return found


def test_examples_are_translations_and_the_decoder_reads_the_words_before() -> None:
    dataset = Translation(train=60, validation=20, test=20)
    numbers = translation._numbers(dataset.data_seed, dataset.digits)
    for split in SPLITS:
        for number, (source, decoder, answer) in zip(
            numbers[split].tolist(), read(dataset, split), strict=False
        ):
            assert source == " ".join(translation.words(number, "en"))
            french = translation.words(number, "fr")
            assert answer.split() == french + ["<end>"] * (dataset.steps - len(french))
            assert decoder.split() == ["<go>", *answer.split()[:-1]]


@pytest.mark.parametrize("vocabulary", [61, 20])
def test_written_words_are_read_as_in_training(vocabulary: int) -> None:
    dataset = Translation(train=200, validation=20, test=20)
    arrays = dataset.load("train", sequence_length=26, vocabulary=vocabulary)
    fed_back = dataset.fed_back(vocabulary)
    np.testing.assert_array_equal(
        arrays.x[:, 1 - dataset.steps :], fed_back[arrays.y[:, : dataset.steps - 1]]
    )


def test_no_number_is_in_two_splits() -> None:
    found = translation._numbers(0, 4)
    assert len(np.unique(np.concatenate(list(found.values())))) == 9_999
    assert min(found["train"].min(), found["test"].min()) >= 1


def test_the_words_and_lengths_are_those_of_all_numbers() -> None:
    numbers = [*range(1, 1_100), *range(1_000, 1_000_000, 997), 777_777, 497_497, 999_999]
    for language, known, longest in (
        ("en", translation.ENGLISH, translation.LONGEST_ENGLISH),
        ("fr", translation.FRENCH, translation.LONGEST_FRENCH),
    ):
        said = [translation.words(number, language) for number in numbers]
        assert {word for each in said for word in each} == set(known)
        assert max(map(len, said)) == longest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"digits": 7}, "digits: 7 is above 6"),
        ({"digits": 3}, "digits: 3 is not a whole number of at least 4"),
        ({"digits": 4, "validation": 2_000}, "2,000 examples, but of the numbers of 4 digits"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, int], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Translation(**{"train": 100, "validation": 100, "test": 100, **options})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(translation.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"needs the package num2words: pip install"):
        Translation().prepare(print)
