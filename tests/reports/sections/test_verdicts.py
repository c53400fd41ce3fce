"""What verdicts rest on, and why each is what it is."""

import json

import pytest
from report_testing import MakeRun

from harness.results.records import read_records
from reports import wording
from reports.content import Section, Value
from reports.sections import verdicts


def built(make_run: MakeRun, *, searched: bool = True, **options: int) -> Section:
    root = make_run(trials=2, **options)
    if not searched:
        manifest = json.loads((root / "manifest.json").read_text())
        manifest["spec"]["search"] = {}
        (root / "manifest.json").write_text(json.dumps(manifest))
    section = verdicts.build(read_records(root))
    assert section is not None
    return section


def column(section: Section, title: str) -> list[object]:
    table = section.tables[0]
    place = [each.title for each in table.columns].index(title)
    return [row.cells[place] for row in table.rows]


def test_one_search_decides_nothing(make_run: MakeRun) -> None:
    section = built(make_run, replicates=5)
    assert section.notices == (
        "One search of each arm: what follows is about the configurations found, not about the "
        "arms.",
    )
    assert "--searches 3" in section.text[0]
    assert not section.figures
    assert set(column(section, "Verdict")) == {"inconclusive"}
    assert set(column(section, "Reason")) == {"one search"}
    assert set(column(section, "P(better)")) == {wording.MISSING}


def test_several_searches_are_named(make_run: MakeRun) -> None:
    section = built(make_run, searches=5, replicates=2)
    assert not section.notices
    assert section.text[0].startswith("Verdicts rest on 5 searches of 2 replicates of each arm.")
    assert "worse" in column(section, "Verdict")
    assert "the whole interval is below 0" in column(section, "Reason")
    assert set(column(section, "Searches")) == {"5"}
    assert Value("below 1\u00a0%", pytest.approx(0.0, abs=1.0)) in column(section, "P(better)")
    assert section.figures[0].data.columns[-1] == "reason"


def test_seeds_are_named_where_nothing_is_searched(make_run: MakeRun) -> None:
    section = built(make_run, searched=False, replicates=5)
    assert not section.notices
    assert section.text[0].startswith("Nothing is searched, so verdicts rest on 5 seeds of each")
    assert set(column(section, "Replicates")) == {"5"}
