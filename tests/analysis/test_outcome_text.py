"""The outcome in words, for the terminal."""

import dataclasses
from pathlib import Path

import pytest
from report_testing import (
    LEVELS,
    change_replicate,
    write_accuracies,
    write_levels,
    write_replicate,
    write_run,
)

from harness.analysis import outcome_table, outcome_text, summary
from harness.analysis.search_progress import Edge, SearchProgress
from harness.analysis.verdicts import conclude
from harness.results.records import BAG_OF_EMBEDDINGS, LINEAR, MAJORITY, read_records
from reports.sections import accuracy as accuracy_section
from reports.sections import answer, verdicts


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


@pytest.mark.parametrize("learned", [True, False])
def test_a_baseline_at_the_level_of_the_majority_class_did_not_train(
    tmp_path: Path, learned: bool
) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.870})
    bag = 0.84 if learned else 0.5
    for name, accuracy in ((BAG_OF_EMBEDDINGS, bag), (LINEAR, 0.8), (MAJORITY, 0.5)):
        for search in range(1, 6):
            write_replicate(root, name, 1, accuracy, 4000, search=search, seed=search)
    records = read_records(root)
    outcome = summary.summarise(records, "page")
    trained = {each["baseline"]: each["trained"] for each in outcome["baselines"]}
    assert trained == {BAG_OF_EMBEDDINGS: learned, LINEAR: True, MAJORITY: True}
    lines = outcome_text.terminal_lines(outcome, conclude(records))
    said = "Bag of embeddings did not train: no better than the majority class."
    assert (said in lines) != learned
    first, second = accuracy_section.build(records), verdicts.build(records)
    rows = [row.cells for table in (*first.tables, *second.tables) for row in table.rows]
    labels = {cell for cells in rows for cell in cells[:2] if "embeddings" in str(cell)}
    assert labels == {"bag of embeddings" + " (did not train)" * (not learned)}
    assert ("did not train" in " ".join(first.text)) != learned
    # Nobody takes pride in beating it: the fact is about the best baseline that trained.
    facts = [each.label for each in answer.build(records).facts]
    assert f"Against the {'bag of embeddings' if learned else 'TF-IDF + logistic reg'}" in str(
        facts
    )


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
    assert lines[at + 1] == "Undecided: nothing shows that another depth is better than depth 1."
    assert lines[at + 2].startswith("Take depth 1. Taking it instead of depth 2, which has the ")


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
    assert [line.partition(" ")[0] for line in lines[:5]] == ["arm", *records.arms]
    assert "validation accuracy, loss" in lines[0]
    assert lines[5].startswith(f"Lowest validation loss: {summary.recommended_arm(records)}.")
    assert lines[6].startswith("Configuration: ")
    assert lines[6].endswith(", the best of 3 trials.")
    assert outcome_text.sentence(found, "depth=2", "depth=1").endswith("no replicates to compare.")


EDGE = Edge("sequence_length", 200, "highest")


def told(
    tmp_path: Path, by_depth: dict[int, tuple[float | None, tuple[Edge, ...]]], searches: int = 3
) -> list[str]:
    """The sentences on searches whose arms have these gains and edges."""
    root = write_run(tmp_path / "s", compare={"depth": list(by_depth)}, trials=0)
    progress = {
        f"depth={depth}": SearchProgress(10, searches, (), gain, edges)
        for depth, (gain, edges) in by_depth.items()
    }
    found = dataclasses.replace(conclude(read_records(root)), progress=progress)
    return outcome_text.progress_sentences(found)


def test_only_gains_above_the_margin_are_told(tmp_path: Path) -> None:
    assert told(tmp_path, {1: (0.005, ()), 2: (0.0083, ()), 3: (None, ())}) == [
        "Depth 2's searches were still improving: about 0.8 points of validation accuracy expected "
        "from ten more trials."
    ]


def test_more_than_two_arms_share_a_sentence(tmp_path: Path) -> None:
    several = {1: (0.006, (EDGE,)), 2: (0.012, (EDGE,)), 3: (0.0, ()), 4: (0.008, (EDGE,))}
    assert told(tmp_path / "a", several) == [
        "The searches of depth 1, depth 2 and depth 4 were still improving: about 0.6 to 1.2 "
        "points of validation accuracy expected from ten more trials.",
        "The best configurations of depth 1, depth 2 and depth 4 lie on an edge of the space: "
        "sequence length 200, the highest.",
    ]
    del several[3]
    assert [line.split(" all arms ")[0] for line in told(tmp_path / "b", several)] == [
        "The searches of", "The best configurations of",
    ]  # fmt: skip


def test_two_arms_have_a_sentence_each(tmp_path: Path) -> None:
    rate = Edge("learning_rate", 0.0003, "lowest")
    lines = told(tmp_path, {1: (0.01, (EDGE, rate)), 2: (0.01, (EDGE,)), 3: (0.0, ())}, searches=1)
    assert [line.partition(":")[0] for line in lines[:2]] == [
        "Depth 1's search was still improving", "Depth 2's search was still improving",
    ]  # fmt: skip
    assert lines[2:] == [
        "Depth 1's best configuration lies on an edge of the space: sequence length 200, the "
        "highest; learning rate 0.0003, the lowest.",
        "Depth 2's best configuration lies on an edge of the space: sequence length 200, the "
        "highest.",
    ]


def test_one_arm_needs_no_name(tmp_path: Path) -> None:
    lines = told(tmp_path, {1: (0.01, (EDGE,))}, searches=1)
    assert lines[0].startswith("The search was still improving: about 1.0 points")
    assert lines[1].startswith("The best configuration lies on an edge of the space: sequence")


def test_many_edges_are_told_in_one_sentence(tmp_path: Path) -> None:
    units = [Edge("units", value, "highest") for value in (16, 32, 64, 128)]
    by_depth = {depth: (None, (edge,)) for depth, edge in enumerate(units, start=1)}
    assert told(tmp_path, {**by_depth, 5: (None, ())}) == [
        "The best configurations of depth 1, depth 2, depth 3 and depth 4 lie on an edge of the "
        "space: in units."
    ]


def test_the_terminal_has_the_sentences_after_the_verdicts(tmp_path: Path) -> None:
    for replicates in (0, 2):
        root = write_run(tmp_path / f"{replicates}", searches=3, replicates=replicates)
        records = read_records(root)
        found = conclude(records)
        sentences = outcome_text.progress_sentences(found)
        assert sentences
        lines = outcome_text.terminal_lines(summary.summarise(records, "page"), found)
        assert lines[-len(sentences) :] == sentences


def test_the_table_fits_80_columns_and_has_a_row_for_each_arm_and_baseline(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.9})
    for search in range(1, 6):
        write_replicate(root, MAJORITY, 1, 0.5, 4000, search=search, seed=search)
    records = read_records(root)
    outcome, found = summary.summarise(records, "page"), conclude(records)
    long = "depth=2,residual=True,layer_norm=output,units=64"
    outcome["arms"][1]["arm"] = long
    found = dataclasses.replace(found, arms={**found.arms, long: found.arms["depth=2"]})
    first, heading, *rows = outcome_table.table_lines(outcome, found)
    assert first == "Test accuracy over 5 searches, 5 trainings, with 95 % intervals:"
    assert heading.split() == ["arm", "test", "accuracy", "ms/step", "parameters"]
    assert max(map(len, [heading, *rows])) <= 80
    assert [row.split()[0][:8] for row in rows] == ["depth=1", "depth=2,", "majority"]
    assert rows[0].split()[1].startswith("86.")
    assert "…" in rows[1]
    assert rows[2].endswith("]")


def test_the_recommended_arm_is_held_against_the_baselines(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "s", {"depth=1": 0.868, "depth=2": 0.870})
    for name, accuracy in ((BAG_OF_EMBEDDINGS, 0.866), (LINEAR, 0.95), (MAJORITY, 0.5)):
        for search in range(1, 6):
            write_replicate(root, name, 1, accuracy, 4000, search=search, seed=search)
    records = read_records(root)
    found = conclude(records)
    lines = outcome_text.terminal_lines(summary.summarise(records, "page"), found)
    at = next(i for i, line in enumerate(lines) if line.startswith("Take depth 1."))
    assert lines[at + 1] == (
        "Depth 1 is worse than the TF-IDF + logistic regression, which costs far less. "
        "Depth 1 was not shown to beat the bag of embeddings, which costs far less."
    )
    words = " ".join(answer.build(records).text)
    assert words.startswith(
        "No: no other depth is better than depth 1 by more than 0.5 points. Every depth is worse "
        "than the TF-IDF + logistic regression, which costs far less. "
    )
