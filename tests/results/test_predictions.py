"""Stored predictions: what is not what a study writes is not read."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from harness.datasets.base.predictions import Predictions
from harness.results.predictions import read_predictions
from harness.search.score_files import write_predictions


def read(folder: Path, truth: NDArray[np.generic], mistakes: tuple[int, ...] = ()) -> object:
    """What is read of a truth, all of it predicted as class 0."""
    write_predictions(
        folder,
        Predictions(
            truth=truth, predicted=np.zeros(truth.shape, np.int32),
            certainty=np.ones(truth.shape, np.float32), mistakes=np.array(mistakes, np.int32),
        ),
    )  # fmt: skip
    return read_predictions(folder)


@pytest.mark.parametrize(
    "truth",
    [[0, 1], [[-1, 0], [1, 1]]],
)
def test_classes_are_read_again(tmp_path: Path, truth: list[int]) -> None:
    found = read(tmp_path, np.array(truth, np.int32))
    assert isinstance(found, Predictions)
    assert found.truth.tolist() == truth


@pytest.mark.parametrize(
    "truth",
    [np.array(["a", "b"]), np.array([0.5, 1.0]), np.array([-2, 0]), np.full((2, 3), -1)],
)
def test_what_are_no_classes_is_not_read(tmp_path: Path, truth: NDArray[np.generic]) -> None:
    assert read(tmp_path, truth) is None


def test_mistakes_are_examples(tmp_path: Path) -> None:
    assert read(tmp_path, np.array([0, 1], np.int32), (1,)) is not None
    assert read(tmp_path, np.array([0, 1], np.int32), (2,)) is None
    assert read(tmp_path, np.array([[0, 1]], np.int32), (0,)) is None
