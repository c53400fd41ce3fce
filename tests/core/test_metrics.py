"""Metrics are those of scikit-learn, as means over examples."""

import numpy as np
import pytest

from harness.core.metrics import MAE, R2, Metric, metric_of, scored


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


SALES = {"metric": MAE, "unit": "units", "mase_scale": 12.3}


def test_an_accuracy_is_in_percent_and_points():
    metric = metric_of({})
    assert metric == Metric() == metric_of({"metric": "accuracy"})
    assert (metric.title, metric.axis("Test accuracy")) == ("accuracy", "Test accuracy, %")
    assert (metric.text(0.8523), metric.text(0.8523, wide=True)) == ("85.2 %", "85 %")
    assert (metric.signed(-0.006), metric.difference_text(0.001)) == ("−0.6", "0.1 points")
    assert (metric.least, metric.most, metric.gain(0.1)) == (0.0, 1.0, 0.1)
    assert metric_of({"metric": "balanced accuracy"}).title == "balanced accuracy"


def test_r2_is_no_percentage():
    metric = metric_of({"metric": R2})
    assert (metric.title, metric.axis("Test R²")) == ("R²", "Test R²")
    assert (metric.text(0.6312), metric.text(-1.5)) == ("0.63", "−1.50")
    assert (metric.signed(0.0123), metric.difference_text(0.0123)) == ("+0.012", "0.012")
    assert (metric.least, metric.best) == (-np.inf, "highest")


def test_an_error_is_in_the_targets_unit_and_lower_is_better():
    metric = metric_of(SALES)
    assert (metric.title, metric.axis("Test MAE")) == ("MAE, units", "Test MAE, units")
    assert (metric.text(4.1), metric.difference_text(0.1234)) == ("4.10 units", "0.12 units")
    assert (metric.signed(-0.12), metric.signed(0.12)) == ("−0.12", "+0.12")
    assert (metric.least, metric.most, metric.gain(-0.1)) == (0.0, np.inf, 0.1)
    assert (metric.best, metric.worse) == ("lowest", "higher")


@pytest.mark.parametrize(
    ("scale", "value", "text"),
    [
        (0.0214, 0.018123, "0.01812"),
        (1.2, 0.71234, "0.712"),
        (54321.0, 43210.4, "43,210"),
        (3.2e9, 2.5e9, "2.5e+09"),
        (2e-6, 1.234e-6, "1.23e-06"),
        (None, 12.345, "12.3"),
    ],
)
def test_an_error_has_digits_by_the_size_of_the_seasonal_naive_error(scale, value, text):
    assert metric_of({**SALES, "mase_scale": scale}).number(value) == text


def test_a_rounded_zero_has_no_sign():
    assert [Metric().signed(each) for each in (0.0, -0.0004, 0.0004)] == ["0.0"] * 3
    assert Metric().number(-0.0001) == "0.0"


def test_a_long_name_of_a_column_is_cut():
    assert len(metric_of({**SALES, "unit": "u" * 100}).unit) == 40
