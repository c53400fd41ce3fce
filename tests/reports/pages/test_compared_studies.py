"""Studies to compare: each has its own label, and equal examples make a group."""

from pathlib import Path

from report_testing import MakeRun, write_run

from harness.core.metrics import Metric
from harness.results.records import Records, read_records
from reports.pages import compared_studies


def records(*roots: Path) -> list[Records]:
    return [read_records(root) for root in roots]


def test_studies_of_one_name_are_told_apart(tmp_path: Path, make_run: MakeRun) -> None:
    one, two = make_run("same", trials=1), write_run(tmp_path / "copied" / "same", trials=1)
    labels = [each.label for each in compared_studies.entries(records(one, two, two))]
    assert len(set(labels)) == 3
    assert all(label.startswith("same in ") for label in labels)


def test_only_studies_with_replicates_on_the_same_examples_are_comparable(
    make_run: MakeRun,
) -> None:
    sizes = {"name": "imdb", "train": 16000, "validation": 4000, "test": 5000}
    other = {"dataset": {**sizes, "sha256": "cd" * 32}}
    listed = compared_studies.entries(
        records(
            make_run("one", trials=2, replicates=2),
            make_run("two", trials=2, replicates=2),
            make_run("other", trials=2, replicates=2, manifest=other),
            make_run("none", trials=2),
        )
    )
    groups = compared_studies.comparable(listed)
    assert [[each.label for each in group] for group in groups] == [["one", "two"]]
    assert compared_studies.metric_of(listed) == Metric()
