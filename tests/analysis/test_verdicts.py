"""What replicates on file come to: results, pairs, the arm to take and why, in plain words."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from report_testing import write_replicate, write_run

from harness.analysis import outcome_text, summary, verdicts
from harness.analysis.verdicts import Conclusions, conclude
from harness.core import files
from harness.results.records import BAG_OF_EMBEDDINGS, read_records
from harness.results.run_directory import RunDirectory


def study(root: Path, accuracies: dict[str, float], n: int = 4000, seeds: int = 5) -> Path:
    """A run whose arms, by value of depth, are right as often as given; deeper steps cost more."""
    write_run(root, compare={"depth": [int(arm[-1]) for arm in accuracies]}, trials=3, replicates=0,
              manifest={})  # fmt: skip
    for arm, accuracy in accuracies.items():
        for number in range(1, seeds + 1):
            write_replicate(root, arm, number, accuracy, n)
            _set(root, arm, number, step_ms=10.0 * int(arm[-1]))
    return root


def _set(root: Path, arm: str, number: int, **values: object) -> None:
    file = RunDirectory(root).replicate(arm, number) / "result.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_the_cheapest_of_arms_alike_is_recommended(tmp_path: Path) -> None:
    found = conclude(read_records(study(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.870})))
    assert found.recommended is not None
    assert found.recommended.arm == "depth=1"
    assert "cheapest arm within 0.5 points of the highest mean, that of depth 2" in (
        found.recommended.reason
    )
    assert "2.0 times as fast" in found.recommended.reason
    line = outcome_text.sentence(found, "depth=2", "depth=1")
    assert line.startswith("Depth 2 against depth 1: +0.3 points [")
    assert line.endswith("; costs 2.0× a step.")
    for number in range(1, 6):
        _set(tmp_path / "s", "depth=2", number, step_ms=0.5)
    found = conclude(read_records(tmp_path / "s"))
    assert outcome_text.sentence(found, "depth=2", "depth=1").endswith("; costs 0.05× a step.")


def test_an_arm_shown_to_be_better_is_recommended_at_its_price(tmp_path: Path) -> None:
    records = read_records(study(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87}))
    found = conclude(records)
    assert found.recommended is not None
    assert found.recommended.arm == "depth=2"
    assert "depth 1, is 6.7 points lower, shown to be worse" in found.recommended.reason
    pair = found.pairs[0]
    assert (pair.a, pair.b, pair.comparison.verdict) == ("depth=2", "depth=1", "better")
    turned = found.between("depth=1", "depth=2")
    assert turned is not None
    assert turned.verdict == "worse"
    assert turned.interval == pytest.approx([-x for x in reversed(pair.comparison.interval)])
    assert summary.recommended_arm(records) == "depth=2"


def test_an_arm_far_behind_is_not_taken_because_nothing_is_certain(tmp_path: Path) -> None:
    """Two seeds prove little; 6 points less is no bargain all the same."""
    root = study(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.86}, n=40, seeds=2)
    found = conclude(read_records(root))
    assert found.pairs[0].comparison.verdict == "inconclusive"
    assert found.recommended is not None
    assert found.recommended.arm == "depth=2"


def test_pairs_share_their_seeds_and_baselines_are_a_family_apart(tmp_path: Path) -> None:
    root = study(tmp_path / "s", {"depth=1": 0.86, "depth=2": 0.86, "depth=3": 0.86}, n=500)
    for number in (1, 2, 3):
        write_replicate(root, BAG_OF_EMBEDDINGS, number, 0.70)
    _set(root, "depth=3", 2, state="failed", reason="diverged")
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


def test_one_replicate_has_a_mean_and_no_interval(tmp_path: Path) -> None:
    root = study(tmp_path / "s", {"depth=1": 0.86, "depth=2": 0.80}, n=500, seeds=1)
    records = read_records(root)
    found = conclude(records)
    assert found.arms["depth=1"].seeds == (-math.inf, math.inf)
    assert found.pairs[0].comparison.verdict == "inconclusive"
    assert "no interval from one replicate" in outcome_text.sentence(found, "depth=2", "depth=1")
    outcome = summary.summarise(records, "page")
    assert '"ci95": [\n    null,\n    null\n   ]' in files.to_json(outcome)


def test_without_replicates_the_lowest_validation_loss_is_named(tmp_path: Path) -> None:
    records = read_records(write_run(tmp_path / "s", trials=3))
    assert conclude(records).recommended is None
    best = summary.best_trials(records)
    assert summary.recommended_arm(records) == best["arm"].iloc[int(best["value"].argmin())]
    assert summary.summarise(records, "page")["verdicts"] == []


def test_missing_replicates_leave_the_recommendation_open(tmp_path: Path) -> None:
    root = study(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87})
    manifest = RunDirectory(root).read_manifest()
    manifest["spec"]["replicates"] = 6
    (root / "manifest.json").write_text(files.to_json(manifest))
    records = read_records(root)
    assert records.replicates_missing == 2
    assert summary.confirmed_recommendation(records) is None


def test_a_damaged_score_file_is_left_out(tmp_path: Path) -> None:
    root = study(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87})
    file = RunDirectory(root).replicate("depth=1", 2) / "scores.npy"
    file.write_bytes(file.read_bytes()[:30])
    assert conclude(read_records(root)).arms["depth=1"].n == 4
    np.save(file, np.ones(17, np.uint8))
    assert conclude(read_records(root)).arms["depth=1"].n == 4


def test_verdicts_are_written_as_a_table(tmp_path: Path) -> None:
    import pandas as pd

    root = study(tmp_path / "s", {"depth=1": 0.80, "depth=2": 0.87})
    summary.write_verdicts(read_records(root))
    table = pd.read_csv(root / "tables" / "verdicts.csv")
    assert table[["a", "b", "verdict"]].to_numpy().tolist() == [["depth=2", "depth=1", "better"]]
    assert table["low"][0] < table["difference"][0] < table["high"][0]


def harder(root: Path, accuracies: dict[str, float], solved: float) -> Conclusions:
    """Arms named depth=…,nesting=…, of a task whose difficulty is its nesting, 1 as declared."""
    arms = []
    for name in accuracies:
        values = dict(each.split("=") for each in name.split(","))
        arms.append({"name": name, "values": {key: int(value) for key, value in values.items()}})
    write_run(root, compare={"depth": [1]}, trials=0, manifest={"arms": arms})
    manifest = json.loads((root / "manifest.json").read_text())
    task = {"difficulty": "nesting", "nesting": 1, "solved": solved}
    manifest["spec"]["dataset"] |= task
    (root / "manifest.json").write_text(json.dumps(manifest))
    for arm, accuracy in (accuracies | {BAG_OF_EMBEDDINGS: 0.3}).items():
        for number in range(1, 6):
            write_replicate(root, arm, number, accuracy, 2000)
    return conclude(read_records(root))


LEVELS = {"depth=1,nesting=1": 0.97, "depth=2,nesting=1": 0.96,
          "depth=1,nesting=2": 0.5, "depth=2,nesting=2": 0.9}  # fmt: skip


def test_arms_are_compared_where_their_task_is_equally_hard(tmp_path: Path) -> None:
    found = harder(tmp_path / "s", LEVELS, solved=0.8)
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
        (0.99, "depth=1,nesting=1", "at nesting 1, the easiest, for none was solved"),
    ],
)
def test_an_easier_task_recommends_no_arm(
    tmp_path: Path, solved: float, arm: str, words: str
) -> None:
    found = harder(tmp_path / "s", LEVELS, solved)
    assert found.recommended is not None
    assert found.recommended.arm == arm
    assert words in found.recommended.reason
    assert set(found.front) <= {name for name in LEVELS if name[-1] == arm[-1]}


def test_words_hold_each_level_against_its_own_best(tmp_path: Path) -> None:
    harder(tmp_path / "s", LEVELS, solved=0.95)
    records = read_records(tmp_path / "s")
    found = conclude(records)
    told = {(a, b): outcome_text.sentence(found, a, b) for a, b in found.references.items()}
    assert set(told) == {
        ("depth=2,nesting=1", "depth=1,nesting=1"), ("depth=1,nesting=2", "depth=2,nesting=2"),
    }  # fmt: skip
    assert all("points [" in line for line in told.values())


def test_studies_of_earlier_versions_were_scored_on_the_same_examples(tmp_path: Path) -> None:
    root = study(tmp_path / "s", {"depth=1": 0.8})
    manifest = json.loads((root / "manifest.json").read_text())
    scored = []
    for known in ({}, {"classes": 2, "features": 0, "steps": 0}):
        manifest["dataset"] = {"name": "imdb", "test": 10, "sha256": "0" * 64, **known}
        (root / "manifest.json").write_text(json.dumps(manifest))
        scored.append(verdicts.scored_on(read_records(root)))
    assert scored[0] is not None
    assert scored[0] == scored[1]
