"""The answer, final and preliminary."""

import re
import shutil

from report_testing import MakeRun

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
    section = answer.build(read_records(make_run(replicates=5, trials=3)))
    words = " ".join(section.text)
    assert section.title == "Answer"
    assert re.match(r"Take depth \d: it (is|has) the ", words)
    assert "mean of 5 replicates" in words
    assert "without replicates" not in words


def test_answer_is_preliminary_while_replicates_are_missing(make_run: MakeRun) -> None:
    root = make_run(replicates=5, trials=3)
    shutil.rmtree(RunDirectory(root).replicate("depth=4", 5))
    section = answer.build(read_records(root))
    assert section.title == "Preliminary answer"
    assert any("19 of 20 replicates" in notice for notice in section.notices)
