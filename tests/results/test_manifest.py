"""The manifest's typed view of what is on file."""

import json
from pathlib import Path

import pytest
from report_testing import write_run

from harness.results.manifest import Manifest
from harness.results.run_directory import RunDirectory


def test_what_readers_ask_for(tmp_path: Path) -> None:
    manifest = RunDirectory(write_run(tmp_path / "s", trials=2, replicates=3)).read_manifest()
    assert manifest.study == "s"
    assert manifest.arm_values["depth=2"] == {"depth": 2}
    assert (manifest.trials, manifest.epochs, manifest.replicates) == (2, 5, 3)
    assert manifest.fixed["cell"] == "lstm"
    assert list(manifest.compare) == ["depth"]
    assert "units" in manifest.search
    assert manifest.declared_dataset["name"] == "imdb"
    assert "sha256" in manifest.dataset
    assert manifest.margin is None
    assert not manifest.quick


def test_it_is_the_object_on_file(tmp_path: Path) -> None:
    directory = RunDirectory(write_run(tmp_path / "s", trials=0))
    assert directory.read_manifest() == json.loads(directory.manifest.read_text())


@pytest.mark.parametrize("spec", [{}, {"spec": None}, {"spec": []}, {"spec": {"budget": None}}])
def test_what_is_missing_is_empty(spec: dict[str, object]) -> None:
    manifest = Manifest({"study": "s", "arms": [{"name": "all"}], **spec})
    assert manifest.arm_values == {"all": {}}
    assert (manifest.trials, manifest.epochs, manifest.replicates) == (0, None, 0)
    assert manifest.search == manifest.dataset == manifest.environment == manifest.hold == {}
    assert (manifest.question, manifest.command, manifest.created) == ("", "", None)
