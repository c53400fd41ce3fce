"""The section to explore trials: what its charts without a script show."""

import pytest
from report_testing import MakeRun

from harness.results.records import read_records
from reports.charts import lanes
from reports.sections import explore


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, 5), (0, 3), (3, 6), (5, 9)], [1, 2, 2, 1]),
        ([(0, 1), (1, 2), (2, 3)], [1, 1, 1]),
        ([(0, 9), (1, 2), (1, 9), (2, 4)], [1, 2, 3, 2]),
    ],
)
def test_each_training_has_a_free_line(spans: list[tuple[float, float]], expected: object) -> None:
    assert lanes.lanes_of([a for a, _ in spans], [b for _, b in spans]) == expected


def test_the_distribution_ends_at_the_worst_trial(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=6))
    found = explore.build(records)
    assert found is not None
    edf, rank = found.figures[:2]
    finished = records.trials[records.trials["state"] == "complete"]
    of_one = [row for row in edf.data.rows if row[0] == "depth=1"]
    losses = finished[finished["arm"] == "depth=1"]["value"]
    assert of_one[-1][1:] == (pytest.approx(losses.max(), rel=1e-5), 1.0)
    assert len(of_one) == len(losses)
    assert len(rank.data.rows) == len(finished)
    assert rank.data.columns[-1] == "rank"
    assert "dark" not in rank.caption  # with a dark page the best dots are the light ones


def test_a_timeline_needs_times(make_run: MakeRun) -> None:
    """All of these begin and end in the same second."""
    found = explore.build(read_records(make_run(trials=3)))
    assert found is not None
    assert [figure.id for figure in found.figures] == ["edf-figure", "rank-figure"]

    def later(result: dict[str, object]) -> dict[str, object]:
        second = 10 * int(str(result["trial"]))
        return result | {
            "started": f"2026-11-23T12:00:{second:02}Z",
            "finished": f"2026-11-23T12:00:{second + 9:02}Z",
        }

    found = explore.build(read_records(make_run("timed", trials=3, edit=later)))
    assert found is not None
    timeline = found.figures[-1]
    assert timeline.id == "timeline-figure"
    assert {row[-3] for row in timeline.data.rows} == {1, 2, 3, 4}  # four arms at once
    assert "line 4: 3 trials, 27 s of training" in timeline.panels[0].alt
