"""Streams of characters: what follows is the target, and files of one's own are read."""

from pathlib import Path

import numpy as np
import pytest

from harness import CharacterFiles
from harness.core.errors import UserError

TEXT = "the cat sat on the mat. " * 200


def of(tmp_path: Path, text: str = TEXT, **options: int) -> CharacterFiles:
    file = tmp_path / "book.txt"
    file.write_text(text, encoding="utf-8")
    return CharacterFiles.of(file, **{"predicted": 10, **options})


def test_the_targets_are_the_characters_that_follow(tmp_path: Path) -> None:
    dataset = of(tmp_path, train=40, validation=5, test=6)
    words, labels = dataset.words(100), dataset.labels
    arrays = dataset.load("train", sequence_length=13, vocabulary=100)
    read = ["".join(words[number] for number in row) for row in arrays.x[1:]]
    follows = "".join(labels[number] for row in arrays.y for number in row)
    assert follows.replace("␣", " ") == TEXT[:400]
    for number, row in enumerate(read, start=1):
        before = TEXT[max(0, number * 10 - 4) : number * 10 + 9].replace(" ", "␣")
        assert row.removeprefix("<start>") == before
    assert [words[number] for number in arrays.x[0][:4]] == ["<padding>"] * 3 + ["<start>"]
    test = dataset.load("test", sequence_length=10, vocabulary=100)
    said = "".join(labels[number] for row in test.y for number in row).replace("␣", " ")
    assert said == TEXT[450:510]  # right after the 45 examples before it


def test_rare_characters_are_one(tmp_path: Path) -> None:
    dataset = of(tmp_path, alphabet=3, train=40, validation=5, test=6)
    assert dataset.classes == 4
    assert dataset.labels[-1] == "<unknown>"
    arrays = dataset.load("train", sequence_length=10, vocabulary=100)
    assert arrays.y.max() == 3
    assert set(np.unique(arrays.x)) == {1, 2, 4, 5, 6}
    assert "rare" in dataset.contents(print).lines()[-1]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("short", {}, "5 characters are too few"),
        (TEXT, {"train": 10_000}, "the splits need"),
        (TEXT, {"predicted": 0}, "predicted"),
        ("a" * 2_000, {}, "one character alone"),
        (TEXT, {"alphabet": 1}, "alphabet: 1 is not a whole number of at least 2"),
    ],
)
def test_what_does_not_fit_is_refused(
    text: str, options: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        of(tmp_path, text, **options)


@pytest.mark.parametrize("examples", [200, 210, 390, 401, 700])
def test_the_usual_batch_of_32_divides_each_split(examples: int, tmp_path: Path) -> None:
    """As the study language_model needs it, whose layers carry their state on."""
    dataset = of(tmp_path, (TEXT * 2)[: examples * 10])
    assert all(size >= 32 and size % 32 == 0 for size in dataset.sizes().values())


def test_a_file_that_changes_is_noticed(tmp_path: Path) -> None:
    from harness.datasets.base.characters import streamed
    from harness.datasets.files import characters

    dataset = of(tmp_path)
    (tmp_path / "book.txt").write_text(TEXT.upper())
    streamed.cache_clear()
    characters._read.cache_clear()
    with pytest.raises(UserError, match="has changed while it was in use"):
        dataset.load("train", sequence_length=10, vocabulary=100)
