"""What every dataset says of itself, and how it is shown."""

from collections.abc import Callable

import numpy as np
import pytest

from harness import datasets
from harness.core.files import to_json
from harness.datasets.base import download
from harness.datasets.base.contents import Contents
from harness.datasets.base.dataset import SPLITS, Dataset

EXPECTED = {
    "adding": ("number", 0), "copy-memory": ("steps", 8), "imdb": ("classes", 2),
    "digits": ("classes", 10),
}  # fmt: skip


@pytest.mark.parametrize("name", datasets.names())
def test_every_dataset_says_what_it_is(
    name: str, make_dataset: Callable[[str], Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(name)
    found = dataset.contents(print)
    mapping = found.to_mapping()
    assert to_json(mapping)
    assert mapping["splits"] == {split: getattr(dataset, split) for split in SPLITS}
    assert mapping["features"] == dataset.features
    assert mapping["rows"] >= sum(mapping["splits"].values())
    assert mapping["length"] >= mapping["typical_length"] if mapping["typical_length"] else True
    if mapping["task"] == "classes":
        assert sum(mapping["classes"].values()) == mapping["rows"]
    if name in EXPECTED:
        assert (mapping["task"], len(mapping["classes"])) == EXPECTED[name]
    assert all(len(line) < 300 and "\n" not in line for line in found.lines())


def test_nothing_is_downloaded_to_say_it(
    own_cache: object, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(download, "fetch", lambda *_, **__: pytest.fail("downloads"))
    found = datasets.by_name("imdb-keras").contents(print)
    assert found.classes == {"negative": 25_000, "positive": 25_000}
    assert "downloaded before the first training" in found.notes[0]


def contents(**changes: object) -> Contents:
    values: dict[str, object] = {
        "task": "classes", "classes": {"neg": 120, "pos": 80}, "rows": 200,
        "splits": {"train": 128, "validation": 32, "test": 40},
    }  # fmt: skip
    return Contents(**{**values, **changes})  # type: ignore[arg-type]


def test_lines_say_all_of_it() -> None:
    found = contents(left_out={"blank lines": 3}, notes=["a note"])
    assert found.with_lengths(np.array([3, 5, 2000])).with_notes(["another"]).lines() == [
        "200 examples, 2 classes: neg 120, pos 80",
        "sequences of up to 2,000 tokens, half of them of at most 5",
        "128 to train, 32 to validate, 40 to test",
        "left out: blank lines (3)",
        "a note",
        "another",
    ]
    assert contents(task="number", classes={}, features=1, length=7).lines()[:2] == [
        "200 examples, each with a number to predict",
        "sequences of up to 7 time steps of 1 number",
    ]
    assert "classes for each of the last time steps" in contents(task="steps").lines()[0]


def test_many_and_long_names_are_cut() -> None:
    many = contents(classes={f"{'long' * 500}{i}": i for i in range(100)})
    assert "100 classes: " in many.lines()[0]
    assert many.lines()[0].endswith("89 smaller ones")
    assert len(many.lines()[0]) < 500
