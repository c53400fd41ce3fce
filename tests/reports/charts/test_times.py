"""Times on an axis: dates, numbers, or their order."""

import pytest

from reports.charts import times


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["2024-01-01", "2024-02-01"], "dates"),
        (["2024-01-01T00:00:00", "2024-01-01 12:30"], "dates"),
        (["2024-01-01T00:00:00Z", "2024-01-01T00:00:00+02:00"], "dates"),
        (["1", "2.5"], "numbers"),
        (["2019", "2020"], "numbers"),
        (["Q1", "Q2"], "order"),
        (["nan", "2"], "order"),
        (["0001-01-01", "9999-12-31"], "order"),
        (["<script>", "$x^2$"], "order"),
    ],
)
def test_the_kind_follows_from_all_texts(texts: list[str], kind: str) -> None:
    found = times.axis_of(texts)
    assert found.kind == kind
    places = found.places(texts)
    assert len(places) == len(texts)
    assert all(isinstance(place, float) for place in places)


def test_places_keep_distances() -> None:
    texts = ["2024-01-01", "2024-01-02", "2024-01-08"]
    first, second, third = times.axis_of(texts).places(texts)
    assert (second - first, third - first) == (1.0, 7.0)
    assert times.axis_of(["b", "a", "c"]).places(["a", "c", "b"]) == [1.0, 2.0, 0.0]


def test_zones_are_brought_to_one() -> None:
    texts = ["2024-01-01T12:00:00Z", "2024-01-01T12:00:00+02:00"]
    first, second = times.axis_of(texts).places(texts)
    assert first - second == pytest.approx(2 / 24)
