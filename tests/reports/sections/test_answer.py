"""The answer, final and preliminary."""

import re
import shutil
from pathlib import Path

from report_testing import MakeRun, write_accuracies

from harness.core import files
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from reports.sections import answer


def test_answer_gives_every_hyperparameter(make_run: MakeRun) -> None:
    (table,) = answer.build(read_records(make_run())).tables
    rows = {row.cells[0]: row.cells[2] for row in table.rows}
    assert rows["depth"] == "compared"
    assert rows["learning rate"] == "searched"
    assert rows["batch size"] == "fixed"
    assert len(rows) == 9


def test_answer_says_that_hold_sets_the_units(make_run: MakeRun) -> None:
    root = make_run(trials=3)
    manifest = RunDirectory(root).read_manifest()
    manifest["spec"]["hold"] = {"step_ms": 8.0}
    files.write_atomically(root / "manifest.json", files.to_json(manifest))
    table = answer.build(read_records(root)).tables[0]
    set_by = {row.cells[0]: row.cells[2] for row in table.rows}
    assert set_by["units"] == "chosen for equal step ms"
    assert set_by["dropout"] == "searched"


def test_answer_resumes_a_quick_study_by_its_name(make_run: MakeRun) -> None:
    root = make_run("lstm_depth-quick", trials=1, wanted=2, manifest={"quick": True})
    section = answer.build(read_records(root))
    assert section.commands[0].command == "python -m harness.study lstm_depth --quick"
    assert [notice.partition(":")[0] for notice in section.notices][:1] == ["Unfinished"]


def test_answer_rests_on_replicates_once_they_are_there(make_run: MakeRun) -> None:
    section = answer.build(read_records(make_run(searches=5, replicates=1, trials=3)))
    words = " ".join(section.text)
    assert section.title == "Answer"
    assert section.text[0].startswith("No: no other depth is better than depth 1 by more than 0.5")
    assert re.match(r"Take depth 1\. It has ", section.text[1])
    assert section.figures[0].id == "answer-figure"
    assert "mean of 5 searches of 1 replicate each" in words
    assert "shown to be more accurate than depth 2, depth 3 and depth 4" in words
    assert "This rests on 5 searches of 1 replicate of each arm" in words
    assert "Probability of being best: depth 1 above 99\u00a0%, depth 2 below 1\u00a0%, " in words
    assert "without replicates" not in words
    assert "With 5 searches each, the smallest true difference" in words
    assert not section.notices


def test_the_answer_says_what_its_choice_costs(tmp_path: Path) -> None:
    root = write_accuracies(tmp_path / "runs" / "s", {"depth=1": 0.868, "depth=2": 0.870})
    assert (
        answer.build(read_records(root))
        .text[1]
        .startswith(
            "Take depth 1. Taking it instead of depth 2, which has the highest mean, costs 0."
        )
    )


def test_what_is_undecided_needs_more_searches(tmp_path: Path) -> None:
    root = tmp_path / "runs" / "s"
    write_accuracies(root, {"depth=1": 0.868, "depth=2": 0.865}, n=2000, searches=4)
    section = answer.build(read_records(root))
    assert "about 6 searches of each arm would settle what is undecided" in " ".join(section.text)
    assert section.commands[-1].purpose == "Adds searches one by one, to settle what is undecided"
    assert section.commands[-1].command == "python -m harness.study s --settle"


def test_one_search_is_about_the_configurations_found(make_run: MakeRun) -> None:
    section = answer.build(read_records(make_run(replicates=5, trials=3)))
    words = " ".join(section.text)
    assert section.notices[-1].startswith("One search of each arm: what follows is about the conf")
    assert re.match(r"Of the configurations found, take that of depth \d\. It has the ", words)
    assert "mean of 5 replicates" in words
    assert "not at all about the arms" in words
    assert "Probability" not in words
    assert "not shown to beat" not in words
    assert section.commands[-1].command == "python -m harness.study lstm_depth --searches 3"


def test_seeds_decide_where_nothing_is_searched(make_run: MakeRun) -> None:
    root = make_run(replicates=5, trials=1)
    manifest = RunDirectory(root).read_manifest()
    manifest["spec"]["search"] = {}
    files.write_atomically(root / "manifest.json", files.to_json(manifest))
    section = answer.build(read_records(root))
    words = " ".join(section.text)
    assert section.text[1].startswith("Take depth ")
    assert "This rests on 5 seeds of each arm" in words
    assert "With 5 replicates each, the smallest true difference" in words
    assert not any("--searches" in each.command for each in section.commands)
    assert not section.notices


def test_a_quick_study_recommends_nothing(make_run: MakeRun) -> None:
    root = make_run("lstm_depth-quick", trials=3, replicates=2, manifest={"quick": True})
    section = answer.build(read_records(root))
    assert section.title == "A quick look"
    assert "recommends nothing" in section.text[0]
    assert "3 trials of each search" in section.text[0]
    assert not section.tables
    assert not section.facts
    assert [each.command for each in section.commands[:2]] == [
        "python -m harness.study lstm_depth --dry-run", "python -m harness.study lstm_depth",
    ]  # fmt: skip


def test_answer_is_preliminary_while_replicates_are_missing(make_run: MakeRun) -> None:
    root = make_run(replicates=5, trials=3)
    shutil.rmtree(RunDirectory(root).replicate("depth=4", 5))
    section = answer.build(read_records(root))
    assert section.title == "Preliminary answer"
    assert any("19 of 20 replicates" in notice for notice in section.notices)


def test_the_answer_says_whether_the_searches_are_done(make_run: MakeRun) -> None:
    for replicates in (0, 2):
        root = make_run(f"r{replicates}", searches=3, replicates=replicates)
        assert "still improving" in answer.build(read_records(root)).text[-1]
        assert "on an edge of the space" in answer.build(read_records(root)).text[-1]


def test_a_search_that_continues_is_not_called_improving(make_run: MakeRun) -> None:
    root = make_run(searches=3, wanted=11)
    assert "improving" not in " ".join(answer.build(read_records(root)).text)


def test_what_a_model_says_of_a_text_is_named() -> None:
    text = {"input": "text"}
    assert answer._predicted(text)[0] == "label"
    assert answer._predicted(text | {"dataset": {"name": "tag-files"}})[0] == "tags"
    assert answer._predicted({"dataset": {"bits": True}})[0] == "next character"
    assert answer._predicted({"input": "numbers"}) == ("", "")
