"""The files beside a trained model."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from toys import toy_study

from harness import Hyperparameters
from harness.datasets import by_name
from harness.search import model_files

RECORD = {
    "arm": "depth=1", "replicate": 1, "seed": 1, "split": "test", "scored_accuracy": 0.5,
    "scored_n": 20, "state": "complete", "params": {},
}  # fmt: skip


def write(folder: Path, train: int = 60) -> Path:
    dataset = replace(by_name("parity"), train=train, validation=20, test=20)
    hp = Hyperparameters(units=2, sequence_length=6, vocabulary=10)
    model_files.write(folder, dataset, hp, RECORD, study=toy_study(dataset=dataset, compare={}))
    return folder / "data.npz"


def test_the_data_of_several_replicates_take_the_disk_once(tmp_path: Path) -> None:
    of_arm = tmp_path / "replicates" / "depth=1"
    first = write(of_arm / "seed=1")
    other = write(of_arm / "search=2" / "seed=1")
    assert first.samefile(other)
    longer = write(of_arm / "search=3" / "seed=1", train=61)  # another content
    assert not first.samefile(longer)
    assert write(of_arm / "seed=1").samefile(other)
    assert not list(tmp_path.rglob("*.tmp"))


def test_where_a_file_has_one_name_only_the_data_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("no links on this disk")

    monkeypatch.setattr(os, "link", refuse)
    first = write(tmp_path / "replicates" / "seed=1")
    other = write(tmp_path / "replicates" / "seed=2")
    assert not first.samefile(other)
    assert first.read_bytes() == other.read_bytes()
