"""What replicates show: results, comparisons, the recommended arm and why."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from report_testing import LEVELS, change_replicate, write_accuracies, write_levels, write_replicate

from harness.analysis import outcome_text, summary, verdicts
from harness.analysis.verdicts import conclude
from harness.core import files
from harness.results.records import BAG_OF_EMBEDDINGS, read_records
from harness.results.run_directory import RunDirectory


def test_a_pair_can_be_read_either_way(tmp_path: Path) -> None:
    records = read_records(write_accuracies(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87}))
    found = conclude(records)
    pair = found.pairs[0]
    assert (pair.a, pair.b, pair.comparison.verdict) == ("depth=2", "depth=1", "better")
    turned = found.between("depth=1", "depth=2")
    assert turned is not None
    assert turned.verdict == "worse"
    assert turned.interval == pytest.approx([-x for x in reversed(pair.comparison.interval)])
    assert summary.recommended_arm(records) == "depth=2"


def test_pairs_share_their_searches_and_baselines_are_a_family_apart(tmp_path: Path) -> None:
    root = write_accuracies(
        tmp_path / "s", {"depth=1": 0.86, "depth=2": 0.86, "depth=3": 0.86}, n=500
    )
    for search in (1, 2, 3):
        write_replicate(root, BAG_OF_EMBEDDINGS, 1, 0.70, search=search, seed=search)
    change_replicate(root, "depth=3", 1, search=2, state="failed", reason="diverged")
    found = conclude(read_records(root))
    assert [(p.a, p.b) for p in found.pairs] == [
        ("depth=2", "depth=1"), ("depth=3", "depth=1"), ("depth=3", "depth=2"),
    ]  # fmt: skip
    assert [p.comparison.replicates for p in found.pairs] == [5, 4, 4]
    assert (found.arms["depth=3"].n, found.arms["depth=3"].failed) == (4, 1)
    assert {p.b for p in found.baseline_pairs} == {BAG_OF_EMBEDDINGS}
    assert [p.comparison.replicates for p in found.baseline_pairs] == [3, 3, 2]
    levels = sorted(p.comparison.alpha for p in found.baseline_pairs)
    assert levels == pytest.approx([0.05 / 3, 0.05 / 2, 0.05])


def test_one_search_of_one_replicate_has_a_mean_and_no_interval(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.86, "depth=2": 0.80}, n=500, searches=1)
    records = read_records(root)
    found = conclude(records)
    assert found.arms["depth=1"].seeds == (-math.inf, math.inf)
    comparison = found.pairs[0].comparison
    assert (comparison.verdict, comparison.reason) == ("inconclusive", "one search")
    assert "no interval" in outcome_text.sentence(found, "depth=2", "depth=1")
    outcome = summary.summarise(records, "page")
    assert '"ci95": [\n    null,\n    null\n   ]' in files.to_json(outcome)


def test_a_damaged_score_file_is_left_out(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87})
    file = RunDirectory(root).replicate("depth=1", 1, 2) / "scores.npy"
    file.write_bytes(file.read_bytes()[:30])
    assert conclude(read_records(root)).arms["depth=1"].n == 4
    np.save(file, np.ones(17, np.uint8))
    assert conclude(read_records(root)).arms["depth=1"].n == 4


def test_baselines_are_compared_with_arms_of_as_many_training_examples(tmp_path: Path) -> None:
    root = write_levels(tmp_path / "s", dict.fromkeys(("train=100", "train=400"), 0.8), solved=0.9)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["spec"]["dataset"] |= {"difficulty": None, "train": 400}
    (root / "manifest.json").write_text(json.dumps(manifest))
    found = conclude(read_records(root))
    assert [(pair.a, pair.b) for pair in found.pairs] == [("train=400", "train=100")]
    assert [(pair.a, pair.b) for pair in found.baseline_pairs] == [("train=400", BAG_OF_EMBEDDINGS)]


def test_arms_are_compared_where_their_task_is_equally_hard(tmp_path: Path) -> None:
    found = conclude(read_records(write_levels(tmp_path / "s", LEVELS, solved=0.8)))
    assert [(pair.a, pair.b) for pair in found.pairs] == [
        ("depth=2,nesting=1", "depth=1,nesting=1"), ("depth=2,nesting=2", "depth=1,nesting=2"),
    ]  # fmt: skip
    assert [(pair.a, pair.b) for pair in found.baseline_pairs] == [
        ("depth=1,nesting=1", BAG_OF_EMBEDDINGS), ("depth=2,nesting=1", BAG_OF_EMBEDDINGS),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("solved", "arm", "words"),
    [
        (0.8, "depth=2,nesting=2", "at nesting 2, the hardest that any arm solved"),
        (0.95, "depth=1,nesting=1", "at nesting 1, the hardest that any arm solved"),
        (0.99, "depth=1,nesting=1", "at nesting 1, the easiest, because none was solved"),
    ],
)
def test_an_easier_task_recommends_no_arm(
    tmp_path: Path, solved: float, arm: str, words: str
) -> None:
    found = conclude(read_records(write_levels(tmp_path / "s", LEVELS, solved)))
    assert found.recommended is not None
    assert found.recommended.arm == arm
    assert words in found.recommended.reason
    of_level = {name for name in LEVELS if name[-1] == arm[-1]}
    assert set(found.front) <= of_level
    assert set(found.probability_best) == of_level
    assert sum(found.probability_best.values()) == pytest.approx(1.0)


def test_studies_of_earlier_versions_were_scored_on_the_same_examples(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.8})
    manifest = json.loads((root / "manifest.json").read_text())
    scored = []
    for known in ({}, {"classes": 2, "features": 0, "steps": 0}):
        manifest["dataset"] = {"name": "imdb", "test": 10, "sha256": "0" * 64, **known}
        (root / "manifest.json").write_text(json.dumps(manifest))
        scored.append(verdicts.scored_on(read_records(root)))
    assert scored[0] is not None
    assert scored[0] == scored[1]
