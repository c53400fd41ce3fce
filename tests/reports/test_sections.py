"""What every section keeps to, found as the page finds them; and what single ones say."""

import dataclasses
import re
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import profile_testing
import pytest
from report_testing import MakeRun

from harness.core import files
from harness.results.manifest import Manifest
from harness.results.records import Records, read_records
from harness.results.run_directory import RunDirectory
from reports import content, page, wording
from reports.sections import answer, trials, validation

MODULES = page.section_modules()
PLAIN = (str, int, float, bool, type(None))


def plain(value: Any) -> bool:
    """Whether a value is text, numbers, and tuples and content classes of such."""
    if isinstance(value, tuple):
        return all(map(plain, value))
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return type(value).__module__ == content.__name__ and all(
            plain(getattr(value, field.name)) for field in fields
        )
    return isinstance(value, PLAIN)


def one_failed(result: dict[str, Any]) -> dict[str, Any]:
    return result if result["trial"] != 1 else {**result, "state": "failed", "reason": "no memory"}


def everything(root: Path) -> Records:
    """Records in which every section finds something to say."""
    records = read_records(root)
    published = {"source": "A book", "val_accuracy": [0.7, 0.8], "val_loss": [0.5, 0.4]}
    harder = {"difficulty": "depth", "depth": 1, "solved": 0.86}
    return dataclasses.replace(
        records,
        manifest=Manifest(
            {
                **records.manifest,
                "published": published,
                "spec": {
                    **records.manifest.spec,
                    "dataset": {**records.manifest.declared_dataset, **harder},
                },
            }
        ),
        other_profiles=(profile_testing.profile(),),
    )


def named(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_section_keeps_to_the_protocol(module: ModuleType, make_run: MakeRun) -> None:
    assert module.__doc__
    assert isinstance(module.ORDER, int)
    section = module.build(everything(make_run(replicates=3, edit=one_failed)))
    assert isinstance(section, content.Section)
    assert plain(section)
    assert section.text
    for figure in section.figures:
        assert len(figure.caption) > 20
        for panel in figure.panels:
            assert len(panel.alt) > 40
            assert panel.svg.startswith("<svg ")
            assert "<text" in panel.svg
    for table in section.tables:
        assert all(len(row.cells) == len(table.columns) for row in table.rows)


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_section_copes_with_no_trials(module: ModuleType, make_run: MakeRun) -> None:
    section = module.build(read_records(make_run(trials=0, wanted=5)))
    assert section is None or plain(section)


def test_sections_are_in_order_and_have_ids_of_their_own(make_run: MakeRun) -> None:
    sections = page.build_sections(everything(make_run(trials=3, replicates=2, edit=one_failed)))
    first = ["answer", "accuracy", "solved", "published"]
    assert [section.id for section in sections][:4] == first
    assert len({section.id for section in sections}) == len(sections) == len(MODULES)
    assert len({module.ORDER for module in MODULES}) == len(MODULES)


def two_arms(second: tuple[float, float]) -> Any:
    """An edit: depth 1 reaches loss 0.4 at 85 %, depth 2 what is given."""

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        value, right = (0.4, 0.85) if result["arm"] == "depth=1" else second
        step_ms = 10.0 if result["arm"] == "depth=1" else 18.0
        own = {"value": value, "val_accuracy": right, "step_ms": step_ms, "state": "complete"}
        return {**result, **own}

    return edit


def test_answer_calls_a_small_difference_no_evidence(make_run: MakeRun) -> None:
    root = make_run(compare={"depth": [1, 2]}, trials=2, edit=two_arms((0.39, 0.852)))
    section = answer.build(read_records(root))
    words = " ".join(section.text)
    assert words.startswith("Depth 2 reached the lowest validation loss: 0.390, with 85.2\u00a0%")
    assert "takes 1.8 times as long" in words
    assert "this is no evidence" in words
    assert "best of 2 trials" in words
    assert section.facts[0].note == "± 0.6\u00a0points, one standard error"


def test_answer_asks_for_fresh_seeds_after_a_large_difference(make_run: MakeRun) -> None:
    root = make_run(compare={"depth": [1, 2]}, trials=2, edit=two_arms((0.45, 0.80)))
    words = " ".join(answer.build(read_records(root)).text)
    assert "Depth 1 reached" in words
    assert "No other arm's best configuration has a faster training step" in words
    assert "this is no evidence" not in words
    assert "fresh seeds" in words


def test_answer_gives_every_hyperparameter(make_run: MakeRun) -> None:
    (table,) = answer.build(read_records(make_run())).tables
    rows = {row.cells[0]: row.cells[2] for row in table.rows}
    assert rows["depth"] == "compared"
    assert rows["learning rate"] == "searched"
    assert rows["batch size"] == "fixed"
    assert len(rows) == 9


def test_answer_says_that_units_follow_from_what_is_held(make_run: MakeRun) -> None:
    root = make_run(trials=3)
    manifest = RunDirectory(root).read_manifest()
    manifest["spec"]["hold"] = {"step_ms": 8.0}
    files.write_atomically(root / "manifest.json", files.to_json(manifest))
    table = answer.build(read_records(root)).tables[0]
    set_by = {row.cells[0]: row.cells[2] for row in table.rows}
    assert set_by["units"] == "follows from step ms held"
    assert set_by["dropout"] == "searched"


def test_answer_resumes_a_quick_study_by_its_name(make_run: MakeRun) -> None:
    root = make_run("lstm_depth-quick", trials=1, wanted=2, manifest={"quick": True})
    section = answer.build(read_records(root))
    assert section.commands[0].command == "python -m harness.study lstm_depth --quick"
    assert [notice.partition(":")[0] for notice in section.notices][:1] == ["Unfinished"]


def test_best_trials_link_to_their_rows(make_run: MakeRun) -> None:
    records = read_records(make_run())
    section, listing = validation.build(records), trials.build(records)
    assert section is not None
    assert listing is not None
    rows = {row.id: row for row in listing.tables[0].rows}
    assert len(rows) == len(records.trials)
    for row in section.tables[0].rows:
        link = row.cells[1]
        assert isinstance(link, content.Link)
        assert rows[link.target].kind == "best"


def test_answer_rests_on_replicates_once_they_are_there(make_run: MakeRun) -> None:
    section = answer.build(read_records(make_run(replicates=5, trials=3)))
    words = " ".join(section.text)
    assert section.title == "Answer"
    assert re.match(r"Take depth \d: it (is|has) the ", words)
    assert "mean of 5 replicates" in words
    assert "without replicates" not in words


def test_answer_is_provisional_while_replicates_are_missing(make_run: MakeRun) -> None:
    root = make_run(replicates=5, trials=3)
    shutil.rmtree(RunDirectory(root).replicate("depth=4", 5))
    section = answer.build(read_records(root))
    assert section.title == "Provisional answer"
    assert any("19 of 20 replicates" in notice for notice in section.notices)


@pytest.mark.parametrize(
    ("json", "words"),
    [
        (
            {
                "name": "IntDistribution",
                "attributes": {"log": True, "step": 1, "low": 4, "high": 9},
            },
            "whole numbers 4 to 9, on a log scale",
        ),
        (
            {"name": "FloatDistribution", "attributes": {"low": 0.0, "high": 0.5, "step": 0.1}},
            "0 to 0.5 in steps of 0.1",
        ),
        (
            {"name": "CategoricalDistribution", "attributes": {"choices": ["gru", None, True]}},
            "one of gru, –, yes",
        ),
        ("something else", "something else"),
    ],
)
def test_distributions_in_words(json: Any, words: str) -> None:
    assert wording.distribution_text(json) == words
