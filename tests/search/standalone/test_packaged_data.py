"""The script of a packaged dataset reads what the study reads."""

import csv
import importlib.metadata
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness import Imdb
from harness.datasets import by_name
from harness.datasets.base.dataset import SPLITS
from harness.datasets.imdb_keras import ImdbKeras
from harness.search.standalone import packaged_data, patterns, predict_texts, training_code
from harness.spec.hyperparameters import Hyperparameters

HP = Hyperparameters(sequence_length=6, vocabulary=300)


@pytest.mark.parametrize("name", ["parity", "adding", "digits", "copy-memory"])
def test_the_splits_are_those_of_the_study(tmp_path: Path, name: str) -> None:
    dataset = replace(by_name(name), train=60, validation=20, test=20)
    length = HP.sequence_length
    if name == "copy-memory":  # the shortest sequence that it can have
        length = 42
    hp = replace(HP, sequence_length=length)
    content = packaged_data.file(dataset, hp)
    assert content
    (tmp_path / "data.npz").write_bytes(content)
    names: dict[str, Any] = {"FOLDER": tmp_path, "np": np}
    exec("\n".join(packaged_data.lines(dataset, hp)), names)
    for split, short in zip(SPLITS, ("train", "held", "test"), strict=True):
        loaded = dataset.load(split, sequence_length=length, vocabulary=HP.vocabulary)
        assert np.array_equal(names[f"x_{short}"], loaded.x)
        assert np.array_equal(names[f"y_{short}"], loaded.y)
        assert names[f"x_{short}"].dtype == loaded.x.dtype


@pytest.mark.slow
def test_reviews_are_read_from_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = Imdb(train=64, validation=16, test=16)
    dataset.prepare(print)
    words = dataset.words(HP.vocabulary)
    (tmp_path / "vocabulary.txt").write_text("".join(f"{word}\n" for word in words))
    (tmp_path / "tokenizer.json").write_text(json.dumps(patterns.rule(dataset.tokenizer)))
    monkeypatch.setattr(predict_texts, "FOLDER", tmp_path)
    content = packaged_data.file(dataset, HP)
    assert content
    assert len(content) < 10_000  # the rows, not the reviews
    (tmp_path / "data.npz").write_bytes(content)
    names: dict[str, Any] = {
        "FOLDER": tmp_path, "np": np, "csv": csv, "importlib": importlib,
        "encoded": predict_texts.encoded,
    }  # fmt: skip
    exec("\n".join(packaged_data.lines(dataset, HP)), names)
    for split, short in zip(SPLITS, ("train", "held", "test"), strict=True):
        loaded = dataset.load(split, sequence_length=6, vocabulary=HP.vocabulary)
        assert np.array_equal(names[f"x_{short}"], loaded.x)
        assert np.array_equal(names[f"y_{short}"], loaded.y)


@pytest.mark.slow
def test_the_script_trains_with_keras_alone(tmp_path: Path) -> None:
    dataset = replace(by_name("parity"), train=60, validation=20, test=20)
    hp = replace(HP, units=2, embedding_dim=2)
    content = packaged_data.file(dataset, hp)
    code = training_code.code(dataset, hp, 1, 1)
    assert content
    assert code
    (tmp_path / "data.npz").write_bytes(content)
    (tmp_path / "train.py").write_text(code)
    done = subprocess.run(
        [sys.executable, "-I", tmp_path / "train.py"], cwd=tmp_path, timeout=300, text=True,
        capture_output=True, env={**os.environ, "KERAS_BACKEND": "tensorflow"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "test: {'accuracy': " in done.stdout
    assert (tmp_path / "retrained.keras").is_file()


def test_keras_own_reviews_need_no_file() -> None:
    dataset = ImdbKeras(train=100, validation=50, test=20)
    assert packaged_data.file(dataset, HP) == b""
    code = training_code.code(dataset, HP, 2, None)
    assert code is not None
    compile(code, "train.py", "exec")
    assert "keras.datasets.imdb.load_data(num_words=300)" in code
    assert "x[-50 :], y[-50 :]" in code


def test_data_that_are_too_large_have_no_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged_data, "MAX_BYTES", 100)
    assert packaged_data.file(by_name("parity"), HP) is None
    assert training_code.code(by_name("parity"), HP, 1, None) is None
