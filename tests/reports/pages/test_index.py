"""The list of all studies is written with each report; other pages stay as they are."""

import json
import re
from pathlib import Path

import pytest
from report_testing import MakeRun, write_run

from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from reports import write

pytestmark = pytest.mark.usefixtures("no_charts")


def test_each_report_renews_the_list_of_all(tmp_path: Path) -> None:
    manifest = {"created": "2026-11-20T10:00:00Z", "question": "Is <b>this</b> older?"}
    write.write(write_run(tmp_path / "runs" / "older", trials=3, manifest=manifest))
    write.write(write_run(tmp_path / "runs" / "newer", trials=3, searches=3, replicates=1))
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "manifest.json").write_text("{")
    write.write(tmp_path / "runs" / "older")
    page = (tmp_path / "runs" / "index.html").read_text(encoding="utf-8")
    links = re.findall(r'<h2[^>]*><a href="([^"]*)">([^<]*)', page)
    assert links == [
        ("newer/report.html", "Does stacking LSTM layers pay on IMDB reviews?"),
        ("older/report.html", "Is &lt;b&gt;this&lt;/b&gt; older?"),
    ]
    assert re.search(r"Take depth \d\. (It has|Taking it instead of)", page)
    assert "has the lowest validation loss; replicates are missing" in page
    assert "script-src 'sha256-" in page
    assert "http" not in re.sub(r"http-equiv", "", page)


def test_the_list_says_how_far_and_how_good(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    write.write(write_run(runs / "part", trials=3, wanted=5))
    write.write(write_run(runs / "scored", trials=3, replicates=1))
    done = write_run(runs / "done-quick", trials=3, replicates=2, manifest={"quick": True})
    write.write(done)
    page = (runs / "index.html").read_text(encoding="utf-8")
    assert "part, full study, 12 of 20 trials, started" in page
    assert "done-quick, quick study, finished, started" in page
    assert re.search(r"Test accuracy 8\d\.\d\xa0%, 95\xa0% interval .* \(depth 1\)", page)
    assert 'data-compare="python -m harness.report"' in page
    summary = json.loads((done / "summary.json").read_text())
    depth_1 = summary["arms"][0]["replicates"]["mean"]
    assert f"Test accuracy {100 * depth_1:.1f}\xa0%" in page


def test_comparisons_are_linked(tmp_path: Path) -> None:
    roots = [write_run(tmp_path / "elsewhere" / name, trials=2) for name in ("a", "b c")]
    studies = [read_records(root) for root in roots]
    write.write_comparison(studies, roots[0].parent)
    (roots[0].parent / "a-vs-nobody.html").touch()
    for root in roots:
        write.write(root)
    page = (roots[0].parent / "index.html").read_text(encoding="utf-8")
    assert '<a href="a-vs-b%20c.html">a and b c</a>' in page
    assert "nobody" not in page
    assert 'data-study="&#39;b c&#39;"' in page
    assert "harness.report --runs " in page  # these are not in runs/


def test_a_quick_study_recommends_nothing(make_run: MakeRun) -> None:
    root = make_run("s-quick", trials=1, replicates=1, manifest={"quick": True})
    write.write(root)
    page = (root.parent / "index.html").read_text(encoding="utf-8")
    assert "A quick study, which recommends nothing." in page


def test_another_programs_index_is_left_alone(tmp_path: Path) -> None:
    root = write_run(tmp_path / "runs" / "mine", trials=2)
    (tmp_path / "runs" / "index.html").write_text("my own page")
    write.write(root)
    assert (tmp_path / "runs" / "index.html").read_text() == "my own page"


def test_a_list_that_cannot_be_written_fails_nothing(make_run: MakeRun) -> None:
    root = make_run(trials=2)
    (root.parent / "index.html").mkdir()
    assert write.write(root).exists()
    assert json.loads((root / "summary.json").read_text())["study"] == root.name


def test_a_study_without_a_finished_trial_is_listed(make_run: MakeRun) -> None:
    root = make_run(trials=0, wanted=3)
    write.write(root)
    page = (root.parent / "index.html").read_text(encoding="utf-8")
    assert "No trial has finished yet." in page
    assert RunDirectory(root).report.exists()
