"""What can be said of trials in words."""

import pandas as pd
from report_testing import MakeRun

from harness.results.records import read_records
from reports import selection


def test_a_trend_needs_five_trials_and_a_correlation() -> None:
    x, up = pd.Series([1, 2, 3, 4, 5, 6]), pd.Series([1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    assert "tends to rise with depth" in selection.trend(x, up, "the loss", "depth")
    assert "tends to fall with depth" in selection.trend(x, -up, "the loss", "depth")
    mixed = pd.Series([1.0, 3.0, 2.0, 3.0, 1.0, 2.0])
    assert "no clear trend" in selection.trend(x, mixed, "the loss", "depth")
    assert "too few trials" in selection.trend(x[:4], up[:4], "the loss", "depth")


def test_a_scale_is_the_declared_one(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=1))
    assert selection.is_logarithmic(records, "units", [8.0, 9.0])
    assert not selection.is_logarithmic(records, "dropout", [0.01, 0.5])
    assert selection.is_logarithmic(records, "not declared", [1.0, 100.0])
    assert not selection.is_logarithmic(records, "units", [0.0, 9.0])


def test_choices_are_in_the_declared_order(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=1))
    values = pd.Series([200, 50, 50])
    assert selection.choices(records, "sequence_length", values) == ["50", "200"]
    assert selection.choices(records, "units", values) == []
    assert selection.choices(records, "own", pd.Series(["b", "a"])) == ["a", "b"]


def test_each_search_has_one_best_trial(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=4, searches=3))
    best = records.trials[selection.is_best(records, records.trials)]
    assert sorted(zip(best["arm"], best["search"], strict=True)) == sorted(records.arm_searches)
    assert len(set(selection.anchors(records.trials))) == 4 * 3 * 4


def test_each_arm_has_one_best_trial(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=4))
    best = records.trials[selection.is_best(records, records.trials)]
    assert sorted(best["arm"]) == records.arms
    for _, trial in best.iterrows():
        assert trial["trial"] == selection.best_of(records, trial["arm"])["trial"]
