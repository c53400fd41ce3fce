"""Frequencies are guessed, named in words, and give the season and the times that follow."""

import numpy as np
import pandas as pd
import pytest

from harness.core.errors import UserError
from harness.datasets.base.frequency import Frequency, shown


@pytest.mark.parametrize(
    ("offset", "text", "season"),
    [
        ("D", "1 day", 7),
        ("h", "1 hour", 24),
        ("15min", "15 minutes", 96),
        ("W-SAT", "1 week", 52),
        ("MS", "1 month", 12),
        ("ME", "1 month", 12),
        ("QS-OCT", "1 quarter", 4),
        ("YS", "1 year", 1),
        ("B", "1 business day", 5),
        ("2D", "2 days", 1),
        ("30s", "30 seconds", 2880),
    ],
)
def test_it_is_guessed_also_where_some_times_are_missing(
    offset: str, text: str, season: int
) -> None:
    times = pd.date_range("2020-01-01", periods=60, freq=offset).to_numpy()
    for given in (times, np.delete(times, [7, 20])):
        found = Frequency.guessed(given)
        assert (found.text, found.season) == (text, season)
        np.testing.assert_array_equal(found.grid(times[0], times[-1]), times)
    after = pd.date_range(times[-1], periods=3, freq=offset).to_numpy()[1:]
    np.testing.assert_array_equal(Frequency.guessed(times).following(times[-1], 2), after)


def test_numbers_have_a_step() -> None:
    found = Frequency.guessed(np.array([0.0, 0.5, 1.0, 2.0]))
    assert (found.text, found.season, found.step) == ("0.5", 1, 0.5)
    assert found.following(2.0, 2).tolist() == [2.5, 3.0]
    assert Frequency.of("2", numbers=True).step == 2.0


@pytest.mark.parametrize(
    ("name", "text"),
    [("D", "1 day"), ("1 day", "1 day"), ("daily", "1 day"), ("15 minutes", "15 minutes"),
     ("W", "1 week"), ("2 weeks", "2 weeks"), ("monthly", "1 month"), ("b", "1 business day")],
)  # fmt: skip
def test_it_is_named_in_several_ways(name: str, text: str) -> None:
    assert Frequency.of(name, numbers=False).text == text


@pytest.mark.parametrize(
    ("name", "numbers"), [("often", False), ("D", True), ("-1", True), ("", False)]
)
def test_an_unknown_one_is_refused(name: str, numbers: bool) -> None:
    with pytest.raises(UserError, match="--frequency"):
        Frequency.of(name, numbers)


def test_times_are_shown_as_short_as_they_are() -> None:
    days = np.array(["2024-01-01", "2024-01-02"], "datetime64[us]")
    assert shown(days) == ["2024-01-01", "2024-01-02"]
    assert shown(days + np.timedelta64(90, "m"))[0] == "2024-01-01T01:30:00"
    assert shown(np.array([1.5, 2.0])) == ["1.5", "2"]
