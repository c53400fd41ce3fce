"""Is the search done?"""

import json
from pathlib import Path
from typing import Any

import pytest
from report_testing import MakeRun

from harness.analysis import outcome_text
from harness.analysis.verdicts import conclude
from harness.core.metrics import R2
from harness.results.records import read_records
from reports.content import Section, Value
from reports.sections import search_progress


def built(root: Path) -> Section:
    section = search_progress.build(read_records(root))
    assert section is not None
    return section


def at_one_length(length: int) -> Any:
    """An edit that gives all trials this sequence length, and values inside their ranges."""
    inside = {"units": 16, "learning_rate": 0.003, "dropout": 0.2, "sequence_length": length}
    return lambda result: {**result, "params": inside}


def test_the_figure_has_each_arms_curve(make_run: MakeRun) -> None:
    root = make_run(searches=3)
    found, section = conclude(read_records(root)), built(root)
    (figure,) = section.figures
    for arm, each in found.progress.items():
        rows = [row for row in figure.data.rows if row[0] == arm]
        assert [row[1] for row in rows] == list(range(1, 31))
        assert [row[2] for row in rows] == pytest.approx(each.expected_best, rel=1e-5)
    assert [key.label for key in figure.legend] == [
        "depth 1", "depth 2", "depth 3", "depth 4", "one search: 10 trials",
    ]  # fmt: skip
    assert "All searches of an arm are counted together" in figure.caption
    assert "does not draw its trials independently" in figure.caption
    assert figure.panels[0].alt.startswith("Line chart of the expected validation accuracy")


def test_the_table_has_each_arm(make_run: MakeRun) -> None:
    root = make_run(searches=3, edit=at_one_length(200))
    found = conclude(read_records(root)).progress["depth=3"]
    row = built(root).tables[0].rows[2].cells
    assert row[0] == "depth 3"
    assert row[4] == "sequence length 200, the highest"
    _, trials, best, gain, _ = row
    assert isinstance(trials, Value)
    assert isinstance(best, Value)
    assert isinstance(gain, Value)
    assert trials.number == 10
    assert best.number == pytest.approx(100 * (found.at_budget or 0.0))
    assert gain.number == pytest.approx(100 * (found.gain or 0.0))


def test_the_answer_comes_first(make_run: MakeRun) -> None:
    root = make_run(searches=3)
    sentences = outcome_text.progress_sentences(conclude(read_records(root)))
    assert "still improving" in sentences[0]
    section = built(root)
    assert " ".join((section.text[0], *section.notices)) == " ".join(sentences)
    assert section.notices  # edges warn


def test_finished_searches_are_told_with_the_margin(make_run: MakeRun) -> None:
    root = make_run(searches=3, edit=at_one_length(100))
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["spec"]["margin"] = 0.2
    (root / "manifest.json").write_text(json.dumps(manifest))
    section = built(root)
    assert section.text[0].startswith("Ten more trials are expected to gain ")
    assert section.text[0].endswith("no more than the margin of 20.")
    assert len(section.text) == 2  # nothing on edges
    assert {row.cells[4] for row in section.tables[0].rows} == {"none"}


def test_numbers_to_predict_have_edges_only(make_run: MakeRun) -> None:
    def numbers(name: str, length: int) -> Path:
        root = make_run(name, searches=3, edit=at_one_length(length))
        manifest = json.loads((root / "manifest.json").read_text())
        manifest["dataset"]["metric"] = R2
        (root / "manifest.json").write_text(json.dumps(manifest))
        return root

    section = built(numbers("edge", 200))
    assert section.figures == ()
    assert section.notices[0].startswith("The best configurations of all arms lie on an edge")
    assert section.tables[0].rows[0].cells[2:4] == ("–", "–")
    assert search_progress.build(read_records(numbers("inside", 100))) is None


def test_there_is_nothing_to_say_without_a_search(make_run: MakeRun) -> None:
    root = make_run("fixed", trials=1, replicates=2)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["spec"]["search"] = {}
    (root / "manifest.json").write_text(json.dumps(manifest))
    assert search_progress.build(read_records(root)) is None
    assert search_progress.build(read_records(make_run("one", trials=1))) is None


def test_an_unfinished_search_has_a_curve_but_no_gain(make_run: MakeRun) -> None:
    section = built(make_run(trials=4, wanted=10))
    assert [key.label for key in section.figures[0].legend][-1] == "depth 4"
    assert section.text[0] == "What more trials would add can't be said here."
    assert section.tables[0].rows[0].cells[2:4] == ("–", "–")
