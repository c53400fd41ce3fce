"""Scores against cost are named by what replicates are scored by."""

import pytest
from report_testing import MakeRun

from harness.core import files
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from reports.sections import cost


@pytest.mark.parametrize(
    ("metric", "name"),
    [("accuracy", "accuracy"), ("balanced accuracy", "accuracy"), ("exact match", "exact match")],
)
def test_arms_have_the_name_of_their_scores(make_run: MakeRun, metric: str, name: str) -> None:
    root = make_run(trials=2, replicates=2)
    manifest = RunDirectory(root).read_manifest()
    for facts in (manifest["dataset"], manifest["spec"]["dataset"]):
        facts["metric"] = metric
    files.write_atomically(root / "manifest.json", files.to_json(manifest))
    section = cost.build(read_records(root))
    assert section is not None
    assert section.title == f"{name.capitalize()} against cost"
    assert section.figures[0].caption.startswith(f"Arms: mean test {name} of the replicates")
    assert "by validation accuracy" in section.figures[1].caption
