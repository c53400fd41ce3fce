"""The section to explore trials: what its charts without a script show."""

from typing import Any

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
    assert "do not name their workers" in timeline.caption


def test_a_trial_is_on_the_line_of_its_worker(make_run: MakeRun) -> None:
    """Worker 10 began before worker 9 could take over depth 2, and imported trials have none."""
    spans = {
        "depth=1": [("9", 0, 5), ("9", 5, 9), ("10", 9, 12)],
        "depth=2": [("10", 0, 7), ("9", 6, 11), (None, 3, 4)],
    }

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        worker, began, ended = spans[result["arm"]][result["trial"]]
        times = {"started": f"2026-11-23T12:00:{began:02}Z",
                 "finished": f"2026-11-23T12:00:{ended:02}Z"}  # fmt: skip
        return result | times | {"worker": worker}

    records = read_records(make_run(trials=3, compare={"depth": [1, 2]}, edit=edit))
    found = explore.build(records)
    assert found is not None
    timeline = found.figures[-1]
    assert timeline.data.columns[-4:] == ("worker", "lane", "began_s", "ended_s")
    assert {tuple(row[0:2]): row[-4:] for row in timeline.data.rows} == {
        ("depth=1", 0): ("9", 1, 0.0, 5.0),
        ("depth=1", 1): ("9", 1, 5.0, 9.0),
        ("depth=1", 2): ("10", 2, 9.0, 12.0),
        ("depth=2", 0): ("10", 2, 0.0, 7.0),
        ("depth=2", 1): ("9", 1, 9.0, 11.0),  # a worker trains one at a time
        ("depth=2", 2): (None, 3, 3.0, 4.0),
    }
    alt = timeline.panels[0].alt
    assert "worker 9: 3 trials, 11 s" in alt
    assert "worker 10: 2 trials, 10 s" in alt
    assert "no worker on file: 1 trial, 1 s" in alt
    assert "The files of 1 trial name no worker" in timeline.caption


def test_a_worker_whose_trials_are_not_drawn_keeps_its_name(
    make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worker 1 began last, after the last trial that is drawn."""
    monkeypatch.setattr(lanes, "MAX_BARS", 2)

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        at = int(result["trial"])
        times = {"started": f"2026-11-23T12:00:{at}0Z", "finished": f"2026-11-23T12:00:{at}9Z"}
        return result | times | {"worker": str(3 - at)}

    records = read_records(make_run(trials=3, compare={"depth": [1]}, edit=edit))
    found = explore.build(records)
    assert found is not None
    alt = found.figures[-1].panels[0].alt
    assert "no worker on file" not in alt
    assert ">1</text>" in found.figures[-1].panels[0].svg
