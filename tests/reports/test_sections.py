"""What every section keeps to, found as the page finds them; and what single ones say."""

import dataclasses
from pathlib import Path
from types import ModuleType
from typing import Any

import profile_testing
import pytest
from report_testing import MakeRun, write_forecasts

from harness.results.manifest import Manifest
from harness.results.records import Records, read_records
from reports import content, page

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


def records_of(module: ModuleType, make_run: MakeRun) -> Records:
    """Records in which the section has something to say."""
    root = make_run(searches=2, replicates=2, edit=one_failed)
    if named(module) == "together":
        two = {"depth": [1, 2], "cell": ["lstm", "gru"]}
        return read_records(make_run("two", compare=two, trials=2, searches=2, replicates=1))
    if named(module) == "keras_code":
        for folder in root.glob("replicates/depth=*/**/seed=1"):
            (folder / "train.py").write_text("import keras")
    if named(module) != "forecast":
        return everything(root)
    errors = {"depth=1": 8.0, "depth=2": 9.0, "baseline=ridge": 7.0}
    return read_records(write_forecasts(root.parent / "forecasts", errors))


def named(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


@pytest.mark.parametrize("module", MODULES, ids=named)
def test_section_keeps_to_the_protocol(module: ModuleType, make_run: MakeRun) -> None:
    assert module.__doc__
    assert isinstance(module.ORDER, int)
    section = module.build(records_of(module, make_run))
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
    sections = page.build_sections(
        everything(make_run(trials=3, searches=2, replicates=2, edit=one_failed))
    )
    first = ["answer", "accuracy", "solved", "predictions", "published"]
    assert [section.id for section in sections][:5] == first
    # All but the forecasts, two hyperparameters together, and a script, which few studies have.
    assert len({section.id for section in sections}) == len(sections) == len(MODULES) - 3
    assert len({module.ORDER for module in MODULES}) == len(MODULES)


def test_figures_published_by_arm_are_a_table(make_run: MakeRun) -> None:
    from reports.sections import published as section

    records = read_records(make_run(replicates=2))
    assert records.arms[0] == "depth=1"
    figures = {"source": "A book", "arms": {"depth=1": {"val_loss": 0.0042}}}
    manifest = Manifest({**records.manifest, "published": figures})
    built = section.build(dataclasses.replace(records, manifest=manifest))
    assert built is not None
    (table,) = built.tables
    assert [column.title for column in table.columns][1:] == [
        "Validation loss, published", "mean here", "95\u00a0% interval",
    ]  # fmt: skip
    first, second = (row.cells for row in table.rows[:2])
    assert getattr(first[1], "text", None) == "0.0042"
    assert second[1] == "–"
