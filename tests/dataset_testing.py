"""Shared by the tests of datasets: a small imdb.npz in Keras's layout, simple definitions."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from harness.datasets import by_name
from harness.datasets.base.dataset import Dataset

SMALL = {"train": 30, "validation": 10, "test": 25}  # of 40 training and 30 test reviews


def quiet(line: str) -> None:
    """A `notify` that does nothing."""


def spoken(**options: int) -> Dataset:
    """A small `speech`, ready to load; skips where the program or the package is missing."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("needs the program espeak-ng")
    pytest.importorskip("kaldi_native_fbank", reason="needs the package kaldi-native-fbank")
    dataset = by_name("speech", **{"train": 100, "validation": 100, "test": 100, **options})
    dataset.prepare(quiet)
    return dataset


def prepare(name: str) -> list[str]:
    """Prepare a dataset and return its lines; runs in a separate process."""
    lines: list[str] = []
    by_name(name).prepare(lines.append)
    return lines


def padded(sequences: list[list[int]], length: int) -> list[list[int]]:
    """Keras's pad_sequences with its defaults: cut and pad in front."""
    return [[0] * (length - len(row[-length:])) + row[-length:] for row in sequences]


@dataclass(frozen=True)
class KerasFile:
    """An imdb.npz in Keras's layout, and its contents."""

    directory: Path
    x_train: list[list[int]]
    y_train: list[int]
    x_test: list[list[int]]
    y_test: list[int]


def object_array(rows: list[list[int]]) -> np.ndarray:
    """An array of lists of any length, as Keras stores reviews."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


def keras_file(directory: Path, n_train: int, n_test: int) -> KerasFile:
    """Write reviews with random ranks in 1..60 and a word index for all but rank 7."""
    directory.mkdir(parents=True, exist_ok=True)
    random = np.random.RandomState(0)

    def reviews(n: int) -> list[list[int]]:
        return [random.randint(1, 61, random.randint(1, 30)).tolist() for _ in range(n)]

    made = KerasFile(
        directory=directory,
        x_train=reviews(n_train),
        y_train=random.randint(0, 2, n_train).tolist(),
        x_test=reviews(n_test),
        y_test=random.randint(0, 2, n_test).tolist(),
    )
    np.savez(
        directory / "imdb.npz",
        x_train=object_array(made.x_train),
        y_train=np.array(made.y_train),
        x_test=object_array(made.x_test),
        y_test=np.array(made.y_test),
    )
    index = {f"word{rank}": rank for rank in range(1, 61) if rank != 7}
    (directory / "imdb_word_index.json").write_text(json.dumps(index), encoding="utf-8")
    return made
