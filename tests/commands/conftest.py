"""A run directory with a model of texts, small enough to need no training."""

import json
import zipfile
from pathlib import Path

import pytest
from model_testing import FindsFine
from report_testing import write_replicate, write_run

from harness.core.files import to_json


@pytest.fixture
def no_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.commands import labels, predict

    for module in (labels, predict):
        monkeypatch.setattr(module, "load_model", lambda folder: FindsFine())


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """The folder of the only arm's model, in `tmp_path/runs/words`."""
    root = write_run(tmp_path / "runs" / "words", compare={}, trials=1)
    write_replicate(root, "all", 1, 0.8)
    folder = root / "replicates" / "all" / "seed=1"
    params = {
        "hyperparameters": {"sequence_length": 4},
        "input": "text",
        "tokenizer": "words",
        "labels": ["bad", "good"],
    }
    (folder / "params.json").write_text(to_json(params))
    (folder / "vocabulary.txt").write_text("\n".join(["<p>", "<s>", "<u>", "<n>", "fine", ""]))
    with zipfile.ZipFile(folder / "model.keras", "w") as archive:
        archive.writestr("config.json", json.dumps({}))
        archive.writestr("model.weights.h5", bytes(1000))
    return folder
