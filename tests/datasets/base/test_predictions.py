"""What a model's outputs say: classes, certainty, the most certain mistakes, numbers in units."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness.datasets.base.dataset import Arrays
from harness.datasets.base.predictions import Predictions, as_text

WORDS = ["<padding>", "<start>", "<unknown>", "<unused>", "fine", "film"]


def of(classes: int, y: Any, outputs: Any, **scaling: list[float]) -> Predictions:
    dataset: Any = SimpleNamespace(classes=classes, scaling=lambda: scaling)
    split = Arrays(x=np.zeros((len(y), 3), np.int32), y=np.array(y))
    return Predictions.of(dataset, split, np.array(outputs, np.float32))


def test_one_output_is_the_probability_of_the_second_class() -> None:
    found = of(2, [0, 1, 0, 1], [[0.9], [0.8], [0.2], [0.4]])
    assert found.predicted.tolist() == [1, 1, 0, 0]
    assert found.certainty == pytest.approx([0.9, 0.8, 0.8, 0.6])
    assert found.mistakes.tolist() == [0, 3]  # the most certain first


def test_of_many_outputs_the_largest_is_the_class() -> None:
    found = of(3, [2, 1], [[0.1, 0.2, 0.7], [0.5, 0.3, 0.2]])
    assert found.predicted.tolist() == [2, 0]
    assert found.certainty == pytest.approx([0.7, 0.5])
    assert found.mistakes.tolist() == [1]


def test_steps_have_classes_of_their_own() -> None:
    found = of(2, [[0, 1]], [[[0.9], [0.8]]])
    assert found.predicted.tolist() == [[1, 1]]
    assert not found.mistakes.size


def test_numbers_are_in_the_unit_of_the_target() -> None:
    found = of(0, [-1.0, 0.5], [[-1.0], [1.0]], y_mean=[10.0], y_std=[2.0])
    assert found.truth.tolist() == [8.0, 11.0]
    assert found.predicted.tolist() == [8.0, 12.0]
    assert not found.certainty.size


def test_an_input_is_told_without_its_marks() -> None:
    assert as_text(np.array([0, 0, 1, 4, 2, 9, 5]), WORDS) == "fine … … film"
