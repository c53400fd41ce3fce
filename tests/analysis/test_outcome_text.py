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


def test_the_terminal_says_how_likely_each_arm_is_best_then_which_to_take(tmp_path: Path) -> None:
    accuracies = {"depth=1": 0.868, "depth=2": 0.870, "depth=3": 0.82}
    records = read_records(write_accuracies(tmp_path / "s", accuracies))
    found = conclude(records)
    lines = outcome_text.terminal_lines(summary.summarise(records, "page"), found)
    (at,) = [i for i, line in enumerate(lines) if line.startswith("Probability of being best:")]
    shares = [f"{100 * found.probability_best[f'depth={depth}']:.0f} %" for depth in (1, 2)]
    assert lines[at] == (
        f"Probability of being best: depth 1 {shares[0]}, depth 2 {shares[1]}, depth 3 below 1 %."
    )
    assert lines[at - 1].startswith("Depth 3 against depth 1: ")
    assert lines[at + 1].startswith("Take depth 1. Taking it instead of depth 2, which has the ")


def test_one_search_or_one_arm_has_no_likely_best(tmp_path: Path) -> None:
    for name, searches, accuracies in (
        ("s", 1, {"depth=1": 0.868, "depth=2": 0.870}),
        ("t", 3, {"depth=1": 0.868}),
    ):
        records = read_records(write_accuracies(tmp_path / name, accuracies, searches=searches))
        outcome = summary.summarise(records, "page")
        lines = outcome_text.terminal_lines(outcome, conclude(records))
        assert "Probability" not in "".join(lines)


def test_likely_bests_with_commas_in_their_names_stay_apart() -> None:
    assert outcome_text.probabilities({"depth=1,units=8": 0.991, "depth=2,units=8": 0.009}) == (
        "Probability of being best: depth 1, units 8 above 99 %; depth 2, units 8 below 1 %."
    )


def test_advice_names_the_arm_once() -> None:
    reason = "depth 1 has the highest mean, and the cheapest step."
    assert outcome_text.advice("depth=1", reason) == (
        "Take depth 1. It has the highest mean, and the cheapest step."
    )


def test_an_arm_without_replicates_has_a_line_on_its_search(tmp_path: Path) -> None:
    records = read_records(write_run(tmp_path / "s", trials=3))
    found = conclude(records)
    lines = outcome_text.terminal_lines(summary.summarise(records, "page"), found)
    assert [line.partition(":")[0] for line in lines[:4]] == records.arms
    assert all("validation accuracy" in line and "best of 3 trials" in line for line in lines[:4])
    assert lines[4].startswith(f"Lowest validation loss: {summary.recommended_arm(records)}.")
    assert outcome_text.sentence(found, "depth=2", "depth=1").endswith("no replicates to compare.")
