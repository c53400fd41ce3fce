"""The script that trains a network again: of which data there is one, and what stands in it."""

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from harness import NumberFiles, TextFiles
from harness.datasets import by_name
from harness.search.standalone import training_code
from harness.spec.hyperparameters import Hyperparameters


def of_numbers(folder: Path, y: Any) -> NumberFiles:
    x = np.random.default_rng(0).normal(size=(60, 5, 2))
    np.savez(folder / "own.npz", x=x, y=y)
    return NumberFiles.of(folder / "own.npz")


def script(dataset: Any, *, patience: int | None = 2, **options: Any) -> str:
    hp = Hyperparameters(sequence_length=5, **options)
    code = training_code.code(dataset, hp, 7, patience)
    assert code is not None
    compile(code, "train.py", "exec")
    assert "harness" not in code
    return code


def test_what_it_does_not_read_has_none(tmp_path: Path) -> None:
    hp = Hyperparameters()
    for name in ("co2", "translation", "characters"):
        short = Hyperparameters(sequence_length=9)
        assert training_code.code(by_name(name), short, 1, None) is None
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(30):
            (tmp_path / label / f"{number}.txt").write_text(f"text {label} {number}")
    assert training_code.code(TextFiles.of(tmp_path), hp, 1, None) is None


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({}, "optimizer = keras.optimizers.Adam(0.001)"),
        (
            {"optimizer": "sgd", "momentum": 0.9},
            "optimizer = keras.optimizers.SGD(0.001, momentum=0.9)",
        ),
        (
            {"optimizer": "adamw", "weight_decay": 0.01, "clip_norm": 1.0},
            "AdamW(0.001, global_clipnorm=1.0, weight_decay=0.01)",
        ),
        ({"schedule": "cosine"}, "rate = keras.optimizers.schedules.CosineDecay(0.001, steps)"),
        ({"schedule": "warmup_cosine"}, "warmup_target=0.001, warmup_steps=rise"),
        ({"schedule": "plateau"}, "ReduceLROnPlateau(factor=0.1, patience=1)"),
        ({"label_smoothing": 0.1}, "BinaryCrossentropy(label_smoothing=0.1)"),
        ({"class_weight": "balanced"}, "sample_weight=weights"),
        ({"batch_size": 9}, "epochs, batch_size = 7, 9"),
        ({}, "EarlyStopping(patience=2, restore_best_weights=True)"),
    ],
)
def test_the_training_is_that_of_the_configuration(
    tmp_path: Path, options: dict[str, Any], line: str
) -> None:
    dataset = of_numbers(tmp_path, np.arange(60) % 2)
    assert line in script(dataset, **options)
    assert "EarlyStopping" not in script(dataset, patience=None)


def test_vectors_of_words_are_read_again(tmp_path: Path) -> None:
    rows = "".join(f"word{i} is {'good' if i % 2 else 'bad'},{i % 2}\n" for i in range(80))
    (tmp_path / "a.csv").write_text(f"text,label\n{rows}")
    dataset = TextFiles.of(tmp_path / "a.csv")
    found = script(dataset, pretrained="v.txt.gz", embedding_dim=3)
    assert "import gzip\n" in found
    assert "file = 'v.txt.gz'\n" in found
    assert 'embedding = model.get_layer("embedding")\n' in found
    assert "gzip" not in script(dataset)


def test_lines_without_a_word_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "vocabulary.txt").write_text("<p>\n<s>\n<u>\n<n>\ngood\nbad\n")
    (tmp_path / "v.txt").write_text("good 1 2\n\nother 3 4\n")
    lines = training_code._pretrained(
        Hyperparameters(pretrained=str(tmp_path / "v.txt"), embedding_dim=2)
    )
    weights = np.zeros((6, 2))
    layer = SimpleNamespace(get_weights=lambda: [weights], set_weights=lambda given: None)
    model = SimpleNamespace(get_layer=lambda name: layer)
    names = {"FOLDER": tmp_path, "model": model, "np": np, "gzip": gzip}
    exec("\n".join(lines), names)  # a part of the script that is written
    np.testing.assert_array_equal(weights[4:], [[1, 2], [0, 0]])


def test_each_kind_of_target(tmp_path: Path) -> None:
    numbers = script(of_numbers(tmp_path, np.linspace(0, 1, 60)))
    assert '"mean_squared_error"' in numbers
    assert 'scaling["y_std"]' in numbers
    several = of_numbers(tmp_path, np.arange(60) % 3)
    assert "SparseCategoricalCrossentropy()" in script(several)
    assert "to_categorical(y_train, 3)" in script(several, label_smoothing=0.1)
    steps = of_numbers(tmp_path, np.arange(180).reshape(60, 3) % 2)
    assert "x = encoded(x, about, True, lengths)" in script(steps)


@pytest.mark.parametrize(("suffix", "reader"), [("csv", "DictReader"), ("jsonl", "json.loads")])
def test_texts_are_read_as_the_study_reads_them(tmp_path: Path, suffix: str, reader: str) -> None:
    rows = [("fine" if i % 2 else "bad") + f" {i}" for i in range(60)]
    lines = {
        "csv": ["Body,Mark", *(f"{row},{i % 2}" for i, row in enumerate(rows))],
        "jsonl": [f'{{"Body": "{row}", "Mark": {i % 2}}}' for i, row in enumerate(rows)],
    }[suffix]
    file = tmp_path / f"a.{suffix}"
    file.write_text("\n".join(lines) + "\n")
    code = script(TextFiles.of(file, text_column="body", label_column="mark"))
    assert reader in code
    assert "row['body']" in code.replace('"', "'")
    assert "number_of(row['mark'])" in code.replace('"', "'")
