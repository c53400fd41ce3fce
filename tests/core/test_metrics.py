"""Metrics are those of scikit-learn, as means over examples."""

import numpy as np
import pytest

from harness.core.metrics import scored


def test_r2_is_scikit_learns_and_the_mean_of_examples():
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(0)
    y = rng.standard_normal(50).astype(np.float32)
    predicted = y + rng.standard_normal(50).astype(np.float32)
    assert scored(predicted, y, "R²").mean() == pytest.approx(r2_score(y, predicted), abs=1e-5)


def test_steps_count_by_their_share():
    y = np.array([[0, 1, 1], [1, 1, 1]])
    np.testing.assert_allclose(scored(np.ones((2, 3)), y, "accuracy"), [2 / 3, 1.0])


def test_balanced_accuracy_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    y = rng.choice(3, 200, p=[0.8, 0.15, 0.05]).astype(np.int32)
    right = rng.random(200) < 0.7
    recalls = [right[y == k].mean() for k in range(3)]  # sklearn.metrics.balanced_accuracy_score
    predicted = np.where(right, y, (y + 1) % 3)
    assert scored(predicted, y, "balanced accuracy").mean() == pytest.approx(np.mean(recalls))
    assert scored(predicted, y, "accuracy").dtype == np.uint8
    majority = scored(np.zeros_like(y), y, "balanced accuracy")
    assert majority.mean() == pytest.approx(1 / 3)
