"""The outcome in words, for the terminal."""

from pathlib import Path

from report_testing import LEVELS, change_replicate, write_accuracies, write_levels, write_run

from harness.analysis import outcome_text, summary
from harness.analysis.verdicts import conclude
from harness.results.records import read_records


def test_words_hold_each_level_against_its_own_best(tmp_path: Path) -> None:
    found = conclude(read_records(write_levels(tmp_path / "s", LEVELS, solved=0.95)))
    told = {(a, b): outcome_text.sentence(found, a, b) for a, b in found.references.items()}
    assert set(told) == {
        ("depth=2,nesting=1", "depth=1,nesting=1"), ("depth=1,nesting=2", "depth=2,nesting=2"),
    }  # fmt: skip
    assert all("points [" in line for line in told.values())


def test_a_sentence_gives_difference_and_price(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.870})
    line = outcome_text.sentence(conclude(read_records(root)), "depth=2", "depth=1")
    assert line.startswith("Depth 2 against depth 1: +0.3 points [")
    assert line.endswith("; 2.0× the step time.")
    for search in range(1, 6):
        change_replicate(root, "depth=2", 1, search=search, step_ms=0.5)
    found = conclude(read_records(root))
    assert outcome_text.sentence(found, "depth=2", "depth=1").endswith("; 0.05× the step time.")


def test_an_arm_without_replicates_has_a_line_on_its_search(tmp_path: Path) -> None:
    records = read_records(write_run(tmp_path / "s", trials=3))
    found = conclude(records)
    lines = outcome_text.terminal_lines(summary.summarise(records, "page"), found)
    assert [line.partition(":")[0] for line in lines[:4]] == records.arms
    assert all("validation accuracy" in line and "best of 3 trials" in line for line in lines[:4])
    assert lines[4].startswith(f"Lowest validation loss: {summary.recommended_arm(records)}.")
    assert outcome_text.sentence(found, "depth=2", "depth=1").endswith("no replicates to compare.")
