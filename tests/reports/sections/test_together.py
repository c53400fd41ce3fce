"""The section on two compared hyperparameters."""

from report_testing import MakeRun

from harness.results.records import read_records
from reports.content import Value
from reports.sections import together

TWO = {"depth": [1, 2, 3], "cell": ["lstm", "a cell of a very long name, number one"]}


def test_one_compared_hyperparameter_has_none(make_run: MakeRun) -> None:
    assert together.build(read_records(make_run(replicates=1))) is None


def test_effects_have_their_full_names(make_run: MakeRun) -> None:
    root = make_run(compare=TWO, trials=2, searches=3, replicates=1)
    found = together.build(read_records(root))
    assert found is not None
    assert found.title == "Depth and cell together"
    effects, means = found.tables
    assert [row.cells[0] for row in effects.rows] == [
        "depth 2 instead of 1",
        "depth 3 instead of 1",
        f"cell {TWO['cell'][1]} instead of lstm",
        f"depth 2 instead of 1, with cell {TWO['cell'][1]} rather than lstm",
        f"depth 3 instead of 1, with cell {TWO['cell'][1]} rather than lstm",
    ]
    assert all(isinstance(row.cells[1], Value) for row in effects.rows)
    assert [column.title for column in means.columns][1:] == ["cell lstm", f"cell {TWO['cell'][1]}"]
    assert len(found.figures[0].data.rows) == 6
    assert "all 5 effects together" in found.text[0]


def test_one_search_has_no_intervals(make_run: MakeRun) -> None:
    root = make_run(compare=TWO, trials=2, searches=1, replicates=2)
    found = together.build(read_records(root))
    assert found is not None
    assert "With one search of each arm there are no intervals." in found.text[0]
    assert {row.cells[2] for row in found.tables[0].rows} == {"–"}
