"""A text to continue is read as in training, and what comes next is told."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

from harness import CharacterFiles
from harness.datasets.base.characters import characters
from harness.datasets.base.text import encode_texts
from harness.search.standalone import patterns, predict_texts


def test_a_text_is_read_as_in_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = random.Random(0)
    text = "".join(draw.choice("abc DE,") for _ in range(600))
    (tmp_path / "book.txt").write_text(text)
    dataset = CharacterFiles.of(tmp_path / "book.txt", predicted=5)
    words = dataset.words(100)
    (tmp_path / "vocabulary.txt").write_text("".join(f"{word}\n" for word in words))
    (tmp_path / "tokenizer.json").write_text(json.dumps(patterns.STREAM))
    monkeypatch.setattr(predict_texts, "FOLDER", tmp_path)
    begun = " ".join(text.split())[:14].replace(" ", "\n \t")
    expected = dataset.load("train", sequence_length=5, vocabulary=100).x[2]
    np.testing.assert_array_equal(predict_texts.encoded([begun], 5), [expected])
    np.testing.assert_array_equal(encode_texts([begun], words, 5, characters), [expected])


def test_only_the_next_character_is_told() -> None:
    outputs = np.array([[[0.9, 0.1, 0.0], [0.2, 0.1, 0.7]]])
    about = {"labels": ["a", "b", "c"], "dataset": {"bits": True}}
    assert list(predict_texts.lines(outputs, about)) == ["c\t0.7000"]
    assert list(predict_texts.lines(outputs, {**about, "dataset": {}})) == ["a\tc"]
