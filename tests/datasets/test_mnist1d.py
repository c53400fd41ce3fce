"""One-dimensional digits: as the paper describes them, and harder for a line than for a network."""

import numpy as np
import pytest

from harness import Mnist1d
from harness.core.errors import UserError
from harness.datasets.base.dataset import Arrays


def load(split: str = "train", **options: object) -> Arrays:
    return Mnist1d(**options).load(split, sequence_length=40, vocabulary=4)  # type: ignore[arg-type]


def test_digits_are_equally_frequent_and_standardised() -> None:
    train = load()
    assert train.x.shape == (4_000, 40, 1)
    assert np.bincount(train.y).tolist() == [400] * 10
    assert train.x.mean() == pytest.approx(0.0, abs=0.03)
    assert train.x.std() == pytest.approx(1.0, abs=0.03)
    assert not np.array_equal(train.y[:500], load("test").y[:500])
    again = Mnist1d().load("train", sequence_length=40, vocabulary=4)
    np.testing.assert_array_equal(again.x, train.x)


def test_shuffled_points_are_the_same_points_in_one_other_order() -> None:
    plain, shuffled = load(), load(shuffled=True)
    np.testing.assert_array_equal(plain.y, shuffled.y)
    order = [
        int(np.argmin([np.abs(plain.x[:20, at] - shuffled.x[:20, to]).sum() for at in range(40)]))
        for to in range(40)
    ]
    assert sorted(order) == list(range(40))
    assert order != list(range(40))
    np.testing.assert_array_equal(plain.x[:, order], shuffled.x)
    np.testing.assert_array_equal(load("test", shuffled=True).x, load("test").x[:, order])


def test_what_is_no_switch_is_refused() -> None:
    with pytest.raises(UserError, match="shuffled: 1 is neither True nor False"):
        Mnist1d(shuffled=1)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # it need not converge
def test_a_small_network_learns_more_than_a_linear_model() -> None:
    """The paper has 32 % for the linear model and 68 % for a perceptron."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    train, test = load(), load("test")
    found = [
        model.fit(train.x[:, :, 0], train.y).score(test.x[:, :, 0], test.y)
        for model in (
            LogisticRegression(max_iter=200),
            MLPClassifier((100,), max_iter=40, early_stopping=True, random_state=0),
        )
    ]
    assert found[0] == pytest.approx(0.32, abs=0.05)
    assert found[1] > found[0] + 0.15
