"""The n-gram model is Witten-Bell's, and both baselines learn what is regular in a text."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest

from harness import CharacterFiles
from harness.datasets.base.characters import streamed
from harness.search import character_models


def dataset_of(tmp_path: Path, text: str) -> CharacterFiles:
    file = tmp_path / "book.txt"
    file.write_text(text)
    return CharacterFiles.of(file, predicted=10)


def witten_bell(train: list[int], part: list[int], order: int, classes: int) -> list[float]:
    """The definition, one character after another."""
    seen: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
    for place, character in enumerate(train):
        for back in range(min(place, order - 1) + 1):
            seen[tuple(train[place - back : place])][character] += 1

    def probability(context: tuple[int, ...], character: int) -> float:
        lower = probability(context[1:], character) if context else 1 / classes
        counts = seen[context]
        whole = counts.total() + len(counts)
        return (counts[character] + len(counts) * lower) / whole if whole else lower

    return [
        probability(tuple(part[max(0, place - order + 1) : place]), character)
        for place, character in enumerate(part)
    ]


def test_probabilities_are_those_of_the_definition(tmp_path: Path) -> None:
    random = np.random.RandomState(0)
    dataset = dataset_of(tmp_path, "".join(random.choice(list("aabc "), 2_000)))
    ids = streamed(dataset).ids
    parts = [ids[split] for split in ("train", "validation", "test")]
    for order, (found, _) in enumerate(character_models._by_order(parts, dataset.classes), 1):
        for part, ours in zip(parts[1:], found, strict=True):
            wanted = witten_bell(parts[0].tolist(), part.tolist(), order, dataset.classes)
            np.testing.assert_allclose(ours, wanted, rtol=1e-9)
        if order == 4:
            break


def test_probabilities_sum_to_one(tmp_path: Path) -> None:
    dataset = dataset_of(tmp_path, "".join(np.random.RandomState(1).choice(list("abc"), 1_000)))
    train = streamed(dataset).ids["train"]
    totals = np.zeros(4)
    for each in range(dataset.classes):
        part = np.append(train[:5], each)
        by_order = character_models._by_order([train, part, part], dataset.classes)
        totals += [found[0][-1] for (found, _), _ in zip(by_order, totals, strict=False)]
    np.testing.assert_allclose(totals, 1.0)


@pytest.mark.parametrize("name", character_models.MODELS)
def test_what_repeats_takes_few_bits_and_noise_takes_all(name: str, tmp_path: Path) -> None:
    model = character_models.MODELS[name]
    dataset = dataset_of(tmp_path, "never odd or even, " * 300)
    regular = model(dataset, "test")
    assert regular.scores.shape == (dataset.test,)
    assert regular.scores.mean() < 0.2
    noise = "".join(np.random.RandomState(0).choice(list("abcdefgh"), 20_000))
    assert model(dataset_of(tmp_path, noise), "test").scores.mean() == pytest.approx(3.0, abs=0.6)


def test_a_character_that_training_has_not_changes_no_width(tmp_path: Path) -> None:
    """256 characters are a byte each, and the unknown one is the 257th."""
    random = np.random.RandomState(0)
    known = [chr(0x4E00 + number) for number in range(256)]
    text = "".join([*known, *random.choice(known, 6_144), *random.choice(known, 1_599), "x"])
    (tmp_path / "book.txt").write_text(text, encoding="utf-8")
    dataset = CharacterFiles.of(
        tmp_path / "book.txt", predicted=10, alphabet=256, train=640, validation=80, test=80
    )
    assert streamed(dataset).ids["test"].max() == 256
    found = character_models.compression(dataset, "test")
    assert found.scores[0] == pytest.approx(found.validated, abs=1.0)
    assert found.scores[0] == pytest.approx(8.0, abs=3.0)
