"""Where the variance comes from."""

import json
import math

import numpy as np
import pytest
from report_testing import MakeRun

from harness.analysis.verdicts import conclude
from harness.results.records import read_records
from reports.sections import variance


def test_sources_are_standard_deviations_in_points(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=2, searches=4, replicates=2))
    section = variance.build(records)
    assert section is not None
    figure, found = section.figures[0], conclude(records).variance
    assert [row[0] for row in figure.data.rows] == ["search", "seed", "examples"]
    for (_, deviation, _), value in zip(
        figure.data.rows, (found.search, found.seed, found.examples), strict=True
    ):
        assert value is not None
        assert deviation == pytest.approx(100 * math.sqrt(value), rel=1e-5)
    seed = figure.data.rows[1]
    assert seed[2] == pytest.approx(float(seed[1] or 0) / math.sqrt(4 * 2), rel=1e-5)
    assert "Bar chart of the standard deviation of test accuracy" in figure.panels[0].alt


def test_each_search_has_its_mean(make_run: MakeRun) -> None:
    records = read_records(make_run(trials=2, searches=3, replicates=2))
    section = variance.build(records)
    assert section is not None
    table = section.tables[1]
    assert [column.title for column in table.columns] == ["Arm", "Search 1", "Search 2", "Search 3"]
    scores = records.scores("depth=1")
    mean = 100 * np.mean([scores[2, 1].mean(), scores[2, 2].mean()])
    assert getattr(table.rows[0].cells[2], "number", None) == pytest.approx(mean)


def test_one_replicate_of_each_search_leaves_two_sources_together(make_run: MakeRun) -> None:
    section = variance.build(read_records(make_run(trials=2, searches=3, replicates=1)))
    assert section is not None
    assert [row[0] for row in section.figures[0].data.rows] == ["search and seed", "examples"]
    assert "can't be told apart" in section.text[0]


def test_without_several_searches_there_is_nothing_to_say(make_run: MakeRun) -> None:
    assert variance.build(read_records(make_run(trials=2, replicates=5))) is None
    root = make_run("fixed", trials=2, searches=1, replicates=5)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["spec"]["search"] = {}
    (root / "manifest.json").write_text(json.dumps(manifest))
    assert variance.build(read_records(root)) is None
