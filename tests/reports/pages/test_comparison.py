"""The page that compares studies: verdicts where examples are shared, and nowhere else."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_testing import HOSTILE, check, pruned
from report_testing import NOW, MakeRun, write_forecasts, write_replicate

from harness.analysis import verdicts
from harness.results.records import Records, read_records
from reports import write
from reports.pages import comparison


def records(*roots: Path) -> list[Records]:
    return [read_records(root) for root in roots]


def single(make_run: MakeRun, name: str, accuracy: float, **options: Any) -> Path:
    """A study of one arm, five searches with a replicate each, about that accurate."""
    root = make_run(name, compare={}, trials=2, searches=5, **options)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["spec"]["replicates"] = 1
    (root / "manifest.json").write_text(json.dumps(manifest))
    for search in range(1, 6):
        write_replicate(root, "all", 1, accuracy, search=search, seed=search)
    return root


def test_studies_on_the_same_examples_get_a_verdict(make_run: MakeRun) -> None:
    good, bad = single(make_run, "good", 0.9), single(make_run, "bad", 0.6)
    text = comparison.render(records(good, bad), now=NOW)
    parsed = check(text)
    assert "Bad is worse than good." in parsed.text
    assert "The highest mean test accuracy is that of good" in parsed.text
    assert "These studies have the same declaration" in parsed.text
    assert text == comparison.render(records(good, bad), now=NOW)


@pytest.mark.parametrize("change", [{"sha256": "cd" * 32}, {"test": 4000}, {"name": "other"}])
def test_studies_on_other_examples_get_none(make_run: MakeRun, change: dict[str, Any]) -> None:
    sizes = {"name": "imdb", "train": 16000, "validation": 4000, "test": 5000}
    one = single(make_run, "one", 0.9)
    two = single(
        make_run, "two", 0.6, manifest={"dataset": {**sizes, "sha256": "ab" * 32} | change}
    )
    parsed = check(comparison.render(records(one, two), now=NOW))
    assert "do not rank the studies" in parsed.text
    assert "No verdict on one and two" in parsed.text
    assert "studies-compared" not in list(parsed.all("id"))


def test_differences_of_declarations_are_listed(make_run: MakeRun) -> None:
    one, two = make_run("one", replicates=2), make_run("two", compare={"units": [4, 8]}, trials=3)
    parsed = check(comparison.render(records(one, two), now=NOW))
    assert "compared, 1, 2, 3, 4" in parsed.text
    assert "two is unfinished" not in parsed.text
    assert "No verdict on one and two" in parsed.text  # the second has no replicates


def test_odd_studies(make_run: MakeRun) -> None:
    roots = [
        make_run("nothing", trials=0, wanted=10),
        make_run("pruned", trials=3, edit=pruned),
        make_run("confirmed", trials=3, replicates=1),
        make_run("hostile", trials=2, manifest={"study": HOSTILE}),
    ]
    parsed = check(comparison.render(records(*roots), now=NOW))
    assert "nothing is unfinished" in parsed.text
    assert "<script>alert(1)</script>" in parsed.text


def test_a_long_list_of_studies_has_a_file_name(make_run: MakeRun, tmp_path: Path) -> None:
    roots = [make_run(f"{'long' * 15}{i}", trials=1) for i in range(5)]
    file = write.write_comparison(records(*roots), tmp_path)
    assert len(file.name.encode()) <= write.MAX_NAME_LENGTH + 5
    assert file != write.write_comparison(records(*roots[::-1]), tmp_path)


def test_verdicts_are_those_of_one_study_with_both(make_run: MakeRun) -> None:
    """The comparison across studies is the one within a study, for the same scores."""
    both = make_run("both", compare={"depth": [1, 2]}, trials=2, searches=5, replicates=1)
    within = verdicts.conclude(*records(both)).pairs[0]
    studies = {arm: (records(both)[0], arm) for arm in ("depth=1", "depth=2")}
    (between,) = verdicts.across(studies, verdicts.MARGIN)
    assert (between.a, between.b) == (within.a, within.b)
    assert np.isclose(between.comparison.difference, within.comparison.difference)
    assert between.comparison.verdict == within.comparison.verdict


def test_errors_are_compared_the_other_way_round(tmp_path: Path) -> None:
    low = write_forecasts(tmp_path / "low", {"depth=1": 8.0, "depth=2": 9.0})
    high = write_forecasts(tmp_path / "high", {"depth=1": 12.0})
    parsed = check(comparison.render(records(low, high), now=NOW))
    assert "The lowest mean test MAE is that of low with depth 1: 7.19\u00a0units." in parsed.text
    assert "High is worse than low." in parsed.text
    assert "have a higher MAE" in parsed.text
    assert "points" not in parsed.text


@pytest.mark.parametrize("change", [{"unit": "tons"}, {"horizon": 1}, {"season": 30}])
def test_errors_of_other_questions_get_no_verdict(tmp_path: Path, change: dict[str, Any]) -> None:
    one = write_forecasts(tmp_path / "one", {"depth=1": 8.0})
    two = write_forecasts(tmp_path / "two", {"depth=1": 12.0}, facts=change)
    parsed = check(comparison.render(records(one, two), now=NOW))
    assert "No verdict on one and two" in parsed.text
    assert "studies-compared" not in list(parsed.all("id"))


def test_different_metrics_are_in_no_chart(make_run: MakeRun, tmp_path: Path) -> None:
    one = single(make_run, "one", 0.9)
    two = write_forecasts(tmp_path / "two", {"depth=1": 8.0, "depth=2": 9.0})
    text = comparison.render(records(one, two), now=NOW)
    parsed = check(text)
    assert "are scored by accuracy or MAE, units: scores of different metrics" in parsed.text
    assert "7.19\u00a0units" in parsed.text
    assert 'class="chart"' not in text
