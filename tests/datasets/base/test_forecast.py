"""Splits in time that share no row, windows of the right rows, and scaling by the training part."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from forecast_testing import COUNTING, ROWS, Counting

from harness import Co2
from harness.core.errors import UserError
from harness.datasets.base.dataset import SPLITS
from harness.datasets.base.forecast import Forecast
from harness.datasets.base.windows import Windows


def _rows(split: Windows, dataset: Forecast) -> tuple[set[int], set[int]]:
    """The rows that a split's windows read, and those that they forecast, by their values."""
    mean, deviation = dataset.scaling()["x_mean"][0], dataset.scaling()["x_std"][0]
    read = np.rint(split.x[..., 0] * deviation + mean).astype(int)
    return set(read.ravel().tolist()), set(split.truth().astype(int).ravel().tolist())


@pytest.mark.parametrize("length", [1, 7, 20])
@pytest.mark.parametrize("folds", [1, 3])
def test_no_row_of_one_split_is_read_or_forecast_in_the_next(length: int, folds: int) -> None:
    for fold in range(1, folds + 1):
        dataset = Counting(folds=folds, fold=fold)
        splits = {s: dataset.load(s, sequence_length=length, vocabulary=4) for s in SPLITS}
        rows = {split: _rows(each, dataset) for split, each in splits.items()}
        for before, after in (("train", "validation"), ("validation", "test")):
            last, first = max(rows[before][1]), min(rows[after][0])
            assert last < first
            if length == 20:
                assert first - last > 1  # a whole lookback and horizon between the windows' ends
                ends = splits[before].moments[-1], splits[after].moments[0]
                assert ends[1] - ends[0] > dataset.lookback + dataset.horizon


def test_a_window_has_the_rows_before_its_targets() -> None:
    dataset = Counting()
    split = dataset.load("test", sequence_length=5, vocabulary=4)
    scaling = dataset.scaling()
    x = split.x * scaling["x_std"] + scaling["x_mean"]
    assert x.shape == (dataset.test, 5, 2)
    ends = np.rint(x[:, -1, 0])
    np.testing.assert_allclose(x[:, :, 0], ends[:, None] + np.arange(-4, 1), atol=1e-3)
    np.testing.assert_allclose(x[:, :, 1], 10 * x[:, :, 0] + 5, atol=1e-2)
    np.testing.assert_array_equal(split.truth()[..., 0], ends[:, None] + [1, 2, 3])
    y = split.y * scaling["y_std"][0] + scaling["y_mean"][0]
    np.testing.assert_allclose(y, split.truth()[..., 0], atol=1e-3)
    assert split.truth().max() == ROWS - 1  # the last row of all is forecast


def test_every_lookback_is_scored_on_the_same_times() -> None:
    dataset = Counting()
    truths = [
        dataset.load("test", sequence_length=length, vocabulary=4).truth() for length in (1, 5, 20)
    ]
    np.testing.assert_array_equal(truths[0], truths[1])
    np.testing.assert_array_equal(truths[0], truths[2])
    with pytest.raises(UserError, match="sequence_length: 21 is more than the lookback"):
        dataset.load("test", sequence_length=21, vocabulary=4)


def test_a_longer_lookback_leaves_less_and_ends_the_same() -> None:
    short, long = Counting(), Counting().for_sequences(60)
    assert long.lookback == 60
    assert sum(long.sizes().values()) < sum(short.sizes().values())
    ends = [
        each.load("test", sequence_length=5, vocabulary=4).truth()[-1] for each in (short, long)
    ]
    np.testing.assert_array_equal(*ends)
    assert Counting(train=100, validation=30, test=40).for_sequences(60).sizes() == {
        "train": 100, "validation": 30, "test": 40,
    }  # fmt: skip


def test_scaling_is_that_of_the_training_part_alone() -> None:
    dataset = Counting()
    train = dataset.load("train", sequence_length=20, vocabulary=4)
    read, forecast = _rows(train, dataset)
    rows = np.array(sorted(read | forecast))
    scaling = dataset.scaling()
    assert scaling["x_mean"][0] == pytest.approx(rows.mean())
    assert scaling["x_std"] == pytest.approx([rows.std(), 10 * rows.std()])
    assert scaling["y_mean"] == scaling["x_mean"][:1]
    later = Counting(folds=3, fold=3)
    assert later.scaling()["x_mean"][0] > Counting(folds=3).scaling()["x_mean"][0]


def test_folds_are_successive_blocks_and_train_on_what_lies_before() -> None:
    folds = [Counting(folds=3, fold=fold) for fold in (1, 2, 3)]
    blocks = [each.load("test", sequence_length=5, vocabulary=4).moments for each in folds]
    joined = np.concatenate(blocks)
    np.testing.assert_array_equal(joined, joined[0] + np.arange(len(joined)))
    assert len({len(block) for block in blocks}) == 1
    assert folds[0].test == len(joined)
    train = [each.load("train", sequence_length=5, vocabulary=4).moments for each in folds]
    assert len(train[0]) < len(train[1]) < len(train[2])
    assert all(t.max() < block.min() for t, block in zip(train, blocks, strict=True))
    # Fold 1 is what a search sees: nothing of any block.
    validation = folds[0].load("validation", sequence_length=5, vocabulary=4)
    assert validation.moments.max() < joined[0]
    assert folds[0].fingerprint() != Counting().fingerprint()


def test_columns_known_in_advance_are_seen_up_to_the_last_step() -> None:
    dataset = Counting(known=("flag",))
    split = dataset.load("test", sequence_length=6, vocabulary=4)
    scaling = dataset.scaling()
    x = np.rint(split.x * scaling["x_std"] + scaling["x_mean"])
    assert dataset.facts()["channels"] == ["t", "ten", "flag", "flag, 3 later"]
    np.testing.assert_array_equal(x[..., 2], x[..., 0] % 4)
    np.testing.assert_array_equal(x[..., 3], (x[..., 0] + 3) % 4)
    with pytest.raises(UserError, match=r"sequence_length: 2 is less than the horizon of 3"):
        dataset.load("test", sequence_length=2, vocabulary=4)


def test_calendar_features_are_those_that_the_frequency_can_tell_apart() -> None:
    dataset = Counting(calendar=True)
    assert dataset.facts()["channels"][2:] == [
        "sine of day of week", "cosine of day of week",
        "sine of day of year", "cosine of day of year",
    ]  # fmt: skip
    assert dataset.signature.features == 6
    weekly = Co2(calendar=True)
    assert weekly.facts()["channels"] == ["co2", "sine of day of year", "cosine of day of year"]


def test_several_targets_of_several_steps() -> None:
    dataset = Counting(targets=("t", "ten"), inputs=())
    split = dataset.load("validation", sequence_length=4, vocabulary=4)
    assert dataset.signature.outputs == 6
    assert split.y.shape == (dataset.validation, 6)
    np.testing.assert_allclose(split.forecasts(split.y), split.truth(), rtol=1e-5)
    np.testing.assert_array_equal(split.truth()[..., 1], 10 * split.truth()[..., 0] + 5)


def test_one_step_of_one_target_is_a_number() -> None:
    split = Counting(horizon=1).load("test", sequence_length=4, vocabulary=4)
    assert split.y.shape == (len(split),)


def test_windows_are_views_of_the_series() -> None:
    split = Counting().load("train", sequence_length=20, vocabulary=4)
    again = Counting().load("train", sequence_length=5, vocabulary=4)
    assert np.shares_memory(split.series, again.series)
    assert split.series.nbytes < 2 * 4 * ROWS * 2


def test_no_window_ends_at_a_filled_row(monkeypatch: pytest.MonkeyPatch) -> None:
    filled = np.zeros(ROWS, bool)
    filled[[50, 200, 390, 391]] = True
    series = replace(COUNTING, filled=filled)
    monkeypatch.setattr(Counting, "series", lambda self: series)
    dataset = Counting(season=5)  # not the dataset of another test, which is cached
    moments = np.concatenate([
        dataset.load(split, sequence_length=5, vocabulary=4).moments for split in SPLITS
    ])  # fmt: skip
    assert not np.isin(moments, np.flatnonzero(filled)).any()
    assert 389 in moments
    assert len(dataset.load("test", sequence_length=5, vocabulary=4)) == dataset.test


def test_too_few_rows_are_named_with_the_number_that_is_needed() -> None:
    with pytest.raises(UserError, match=r"400 rows are too few: \d+ are needed") as refused:
        Counting(lookback=150)
    needed = int(str(refused.value).split(" are needed")[0].rpartition(" ")[2])
    assert needed == 149 + 2 * 153 + 3 + 30
    with pytest.raises(UserError, match="400 rows are too few"):
        Counting(train=300, validation=30, test=40).prepare(print)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"horizon": 0}, "--horizon 0: a forecast is at least one step ahead"),
        ({"horizon": -2}, "horizon: -2 is not a whole number of at least 1"),
        ({"folds": 0}, "folds: 0 is not a whole number"),
        ({"season": 0}, "season: 0 is not a whole number"),
        (
            {"folds": 9, "train": 100, "validation": 20, "test": 5},
            "--folds 9: the test part has 5 times",
        ),
    ],
)
def test_senseless_values_are_refused(changes: dict[str, int], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        Counting(**changes)


def test_a_constant_target_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    values = COUNTING.values.copy()
    values[:250, 0] = 7
    monkeypatch.setattr(Counting, "series", lambda self: replace(COUNTING, values=values))
    with pytest.raises(UserError, match="target 't' is 7 in all of the training part"):
        Counting(season=6).prepare(print)


def test_a_season_longer_than_the_training_part_is_refused_or_not_used() -> None:
    with pytest.raises(UserError, match="--season 390: the training part has"):
        Counting(season=390).prepare(print)
    assert Counting().facts()["season"] == 7
    assert Counting(season=12).facts()["season"] == 12


def test_the_scale_of_mase_is_the_seasonal_error_on_the_training_part() -> None:
    assert Counting(season=4).facts()["mase_scale"] == 4.0  # it rises by 1 a step


def test_a_smaller_one_keeps_the_latest_times() -> None:
    dataset = Counting()
    small = dataset.smaller(50, 10, 10)
    assert small.sizes() == {"train": 50, "validation": 10, "test": 10}
    tests = [
        each.load("test", sequence_length=5, vocabulary=4).moments for each in (small, dataset)
    ]
    np.testing.assert_array_equal(tests[0], tests[1][-10:])
    assert Counting(folds=3).smaller(50, 10, 1).test == 3
    assert pickle.loads(pickle.dumps(dataset)) == dataset


def test_what_was_understood_is_said() -> None:
    contents = Counting(folds=2).contents(print)
    told = contents.to_mapping()
    assert (told["task"], told["rows"], told["horizon"]) == ("forecast", ROWS, 3)
    assert (told["frequency"], told["season"], told["folds"]) == ("1 day", 7, 2)
    assert told["features"] == 2
    assert told["length"] == 20
    lines = contents.lines()
    assert lines[0] == "400 rows, 1 day apart, a season of 7 steps, 2020-01-01 to 2021-02-03"
    assert "in 2 blocks" in lines[3]


def test_the_record_of_carbon_dioxide() -> None:
    dataset = Co2()
    assert len(dataset.series()) == 2_284
    assert dataset.series().filled.sum() == 59
    assert dataset.facts()["frequency"] == "1 week"
    assert dataset.facts()["season"] == 52
