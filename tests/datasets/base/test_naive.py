"""The baselines of forecasts, against values worked out by hand and by scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from forecast_testing import COUNTING, Counting
from sklearn.linear_model import Ridge

from harness.datasets.base import naive
from harness.datasets.base.forecast_scores import ForecastScores


def test_on_a_straight_line() -> None:
    dataset = Counting(season=5)
    split = dataset.load("test", sequence_length=20, vocabulary=4)
    ends = split.truth()[:, 0, 0] - 1
    np.testing.assert_array_equal(naive.last(dataset, "test")[..., 0], ends[:, None] + [0, 0, 0])
    np.testing.assert_array_equal(
        naive.seasonal(dataset, "test")[..., 0], ends[:, None] + [-4, -3, -2]
    )
    np.testing.assert_allclose(naive.drift(dataset, "test"), split.truth())
    np.testing.assert_allclose(naive.ridge(dataset, "test"), split.truth(), rtol=0.02)


def test_a_horizon_longer_than_the_season_repeats_the_last_season() -> None:
    dataset = Counting(season=2, horizon=5)
    found = naive.seasonal(dataset, "test")[0, :, 0]
    end = dataset.load("test", sequence_length=5, vocabulary=4).truth()[0, 0, 0] - 1
    assert (found - end).tolist() == [-1, 0, -1, 0, -1]


def test_ridge_is_scikit_learns_with_the_penalty_of_the_least_validation_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = np.random.default_rng(1).normal(size=COUNTING.values.shape).cumsum(axis=0)
    monkeypatch.setattr(Counting, "series", lambda self: replace(COUNTING, values=noise))
    dataset = Counting(season=3)
    splits = {
        s: dataset.load(s, sequence_length=20, vocabulary=4)
        for s in ("train", "validation", "test")
    }
    flat = {s: each.x.reshape(len(each), -1) for s, each in splits.items()}
    models = [Ridge(alpha=alpha).fit(flat["train"], splits["train"].y) for alpha in naive.ALPHAS]
    errors = [
        np.mean((model.predict(flat["validation"]) - splits["validation"].y) ** 2)
        for model in models
    ]
    best = models[int(np.argmin(errors))]
    expected = splits["test"].forecasts(best.predict(flat["test"]))
    np.testing.assert_allclose(naive.ridge(dataset, "test"), expected, rtol=1e-4)
    monkeypatch.setattr(naive, "_AT_ONCE", 1)  # in pieces
    np.testing.assert_allclose(naive.ridge(dataset, "test"), expected, rtol=1e-4)
    monkeypatch.setattr(naive, "_MOST_NUMBERS", 40 * 60)  # of fewer windows
    assert naive.ridge(dataset, "test").shape == expected.shape


def test_measures_are_those_of_their_definitions() -> None:
    dataset = Counting(season=4)
    split = dataset.load("test", sequence_length=5, vocabulary=4)
    forecasts = split.truth() + np.array([1.0, -2.0, 3.0])[:, None]
    found = ForecastScores.of(split, forecasts)
    np.testing.assert_allclose(found.scores, 2.0)
    measures = found.measures()
    assert measures["RMSE"] == pytest.approx(np.sqrt(14 / 3))
    assert measures["MASE"] == pytest.approx(2.0 / 4)
    truth = split.truth()[..., 0]
    relative = 200 * np.array([1, 2, 3]) / (truth + forecasts[..., 0])
    assert measures["sMAPE"] == pytest.approx(relative.mean())
    zeros = ForecastScores.of(replace(split, unit=split.unit * 0), 0 * forecasts)
    assert zeros.measures()["sMAPE"] is None


def test_scores_of_a_panel_are_means_over_its_series_by_time() -> None:
    split = Counting().load("test", sequence_length=5, vocabulary=4)
    count = len(split)
    both = replace(
        split,
        origins=np.tile(split.origins, 2),
        moments=np.tile(split.moments, 2),
        members=np.repeat([0, 1], count),
    )
    errors = np.repeat([1.0, 3.0], count)[:, None, None]
    found = ForecastScores.of(both, both.truth() + errors)
    np.testing.assert_allclose(found.scores, np.full(count, 2.0))
    assert found.truth.shape == (count, 3, 1)
    joined = ForecastScores.joined([found, found])
    assert len(joined.scores) == 2 * count
