"""The generated series give the book's errors for the simplest forecasts."""

import numpy as np
import pytest

from harness import TwoWaves


def test_the_last_value_and_a_linear_model_have_the_published_errors() -> None:
    dataset = TwoWaves()
    train, validation = (
        dataset.load(split, sequence_length=50, vocabulary=4) for split in ("train", "validation")
    )
    assert train.x.shape == (7_000, 50, 1)
    assert len(validation) == 2_000
    last = np.mean((validation.y - validation.x[:, -1, 0]) ** 2)
    assert last == pytest.approx(0.0202, rel=0.1)
    x, held_out = (np.c_[np.ones(len(each)), each.x[:, :, 0]] for each in (train, validation))
    weights = np.linalg.lstsq(x, train.y, rcond=None)[0]
    # The book trains its linear model for 20 epochs, and has 0.0042; this is the best one.
    assert 0.0025 < np.mean((held_out @ weights - validation.y) ** 2) < 0.0042


def test_the_noise_is_what_nothing_forecasts() -> None:
    series = TwoWaves(length=5).load("train", sequence_length=5, vocabulary=4)
    assert np.abs(series.x).max() <= 0.5 + 0.2 + 0.05
