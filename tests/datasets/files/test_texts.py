"""The user's own tables and folders: read completely, and checked first."""

import csv
import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.errors import UserError
from harness.datasets import is_path
from harness.datasets.base.dataset import SPLITS
from harness.datasets.files.texts import TextFiles

Rows = list[tuple[str, str]]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def rows(n: int = 60, labels: tuple[str, ...] = ("bad", "good")) -> Rows:
    return [
        (f'text "{i}", {labels[i % len(labels)]} zażółć 文字', labels[i % len(labels)])
        for i in range(n)
    ]


def write_csv(path: Path, found: Rows, delimiter: str = ",") -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([("text", "label"), *found])
    return path


def write_jsonl(path: Path, found: Rows) -> Path:
    path.write_text("".join(json.dumps({"text": t, "label": y}) + "\n" for t, y in found))
    return path


def write_parquet(path: Path, found: Rows) -> Path:
    pyarrow = pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {"text": [t for t, _ in found], "label": [y for _, y in found]}
    parquet.write_table(pyarrow.table(columns), path)
    return path


def write_folder(path: Path, found: Rows) -> Path:
    for number, (text, label) in enumerate(found):
        (path / label).mkdir(parents=True, exist_ok=True)
        (path / label / f"{number:04}.txt").write_text(text, encoding="utf-8")
    return path


WRITERS: dict[str, Callable[[Path, Rows], Path]] = {
    "a.csv": write_csv,
    "a.tsv": lambda path, found: write_csv(path, found, "\t"),
    "a.jsonl": write_jsonl,
    "a.parquet": write_parquet,
    "folder": write_folder,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_examples(tmp_path: Path, name: str) -> None:
    found = TextFiles.of(WRITERS[name](tmp_path / name, rows()))
    assert found.labels == ("bad", "good")
    assert (found.train, found.validation, found.test) == (38, 10, 12)
    words = found.words(10_000)
    seen = []
    for split in SPLITS:
        arrays = found.load(split, sequence_length=12, vocabulary=10_000)
        assert len(arrays.x) == getattr(found, split)
        for x, y in zip(arrays.x, arrays.y, strict=True):
            text = [words[i] for i in x if i > 3]
            assert found.labels[y] in text
            assert text[-2:] == ["文", "字"]
            seen.append(tuple(x))
    assert TextFiles.of(tmp_path / name).fingerprint() == found.fingerprint()


def test_classes_are_sorted_as_numbers_where_they_are(tmp_path: Path) -> None:
    labels = tuple(map(str, range(1, 12)))
    found = TextFiles.of(write_csv(tmp_path / "a.csv", rows(120, labels)))
    assert found.labels == labels
    assert found.classes == 11
    assert found.load("train", sequence_length=5, vocabulary=50).y.max() == 10


def test_other_columns_and_characters(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", rows())
    file.write_text(file.read_text().replace('"text","label"', '"review","stars"'))
    found = TextFiles.of(file, text_column="review", label_column="stars", tokenizer="characters")
    assert found.words(100)[4] == " "
    assert found.to_mapping()["tokenizer"] == "characters"
    assert str(tmp_path) not in json.dumps(found.to_mapping())


@pytest.mark.parametrize(("small", "metric"), [(10, "accuracy"), (9, "balanced accuracy")])
def test_beyond_one_to_five_accuracy_is_balanced(tmp_path: Path, small: int, metric: str) -> None:
    found = [(f"good {i}", "good") for i in range(50)] + [(f"bad {i}", "bad") for i in range(small)]
    assert TextFiles.of(write_csv(tmp_path / "a.csv", found)).metric == metric


def make_latin(path: Path) -> None:
    write_csv(path, rows())
    path.write_bytes(path.read_bytes() + "caf\xe9,good\n".encode("latin-1"))


BAD: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("a.csv", lambda path: None, "no such file"),
    "no text column": ("a.csv", lambda path: path.write_text("a,label\nx,y\n"), "--text-column"),
    "no label column": ("a.csv", lambda path: path.write_text("text,b\nx,y\n"), "--label-column"),
    "nothing": ("a.csv", lambda path: path.write_text(""), "no column"),
    "heading alone": ("a.csv", lambda path: path.write_text("text,label\n"), "no rows"),
    "an empty text": (
        "a.csv",
        lambda path: write_csv(path, [*rows(), (" ", "good")]),
        "row 61 (line 62)",
    ),
    "an empty label": ("a.csv", lambda path: write_csv(path, [*rows(), ("x", "")]), "no label"),
    "a text without words": (
        "a.csv",
        lambda path: write_csv(path, [*rows(), ("...", "bad")]),
        "characters",
    ),
    "one class": ("a.csv", lambda path: write_csv(path, rows(60, ("good",))), "one label"),
    "few rows": ("a.csv", lambda path: write_csv(path, rows(20)), "at least 50"),
    "few of a class": ("a.csv", lambda path: write_csv(path, [*rows(), ("x", "odd")]), "'odd'"),
    "101 classes": (
        "a.csv",
        lambda path: write_csv(path, rows(606, tuple(map(str, range(101))))),
        "at most 100",
    ),
    "Latin-1": ("a.csv", make_latin, "not UTF-8 (byte"),
    "more cells": ("a.csv", lambda path: path.write_text("text,label\na,b,c\n"), "more cells"),
    "open quote": (
        "a.csv",
        lambda path: path.write_text('text,label\n"a",b\n"a,b\n'),
        "row 2 (line 3)",
    ),
    "no JSON": ("a.jsonl", lambda path: path.write_text("{}{\n"), "line 1 is not JSON"),
    "no object": ("a.jsonl", lambda path: path.write_text("[1]\n"), "not a JSON object"),
    "gaps as NaN": (
        "a.jsonl",
        lambda path: write_jsonl(path, [*rows(), *[("x", math.nan)] * 9]),  # type: ignore[list-item]
        "9 rows have no text or no label, the first is line 61",
    ),
    "a pickle": ("a.pkl", lambda path: path.write_bytes(pickle.dumps([1])), "pickles"),
    "empty folder": ("folder", lambda path: path.mkdir(), "a folder for each class"),
}


@pytest.mark.parametrize(("name", "make", "words"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], object], words: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(UserError) as raised:
        TextFiles.of(tmp_path / name)
    assert words in str(raised.value)
    assert str(tmp_path / name) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_damaged_parquet_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UserError, match="not a Parquet file"):
        TextFiles.of(tmp_path / "a.parquet")


def test_too_large_for_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import psutil

    file = write_csv(tmp_path / "a.csv", rows())
    memory = type("Memory", (), {"available": 1000})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    with pytest.raises(UserError, match="too large for the memory"):
        TextFiles.of(file)


def test_what_is_a_path_and_what_a_name(tmp_path: Path) -> None:
    assert is_path("reviews.csv")
    assert is_path("data/reviews")
    assert is_path(str(tmp_path))
    assert not is_path("imdb")
    assert not is_path("imbd")


def test_a_misspelled_keyword_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    rows = "".join(f"good {i},yes\nbad {i},no\n" for i in range(40))
    file.write_text("text,label\n" + rows)
    for wrong in ("trian", "text_colum"):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{wrong}'"):
            TextFiles.of(file, **{wrong: 5})  # type: ignore[arg-type]


def test_a_file_that_is_written_again_is_read_again(tmp_path: Path) -> None:
    one = TextFiles.of(write_csv(tmp_path / "a.csv", rows()))
    other = TextFiles.of(write_csv(tmp_path / "a.csv", rows()[::-1]))
    assert other.fingerprint() != one.fingerprint()
    with pytest.raises(UserError, match="has changed while it was in use"):
        one.prepare(print)


def test_what_was_understood_is_in_the_cache_too(tmp_path: Path) -> None:
    found = [(text, label + " " * (i % 3)) for i, (text, label) in enumerate(rows())]
    file = write_csv(tmp_path / "a.csv", found)
    file.write_text(file.read_text() + "\n\n")
    for _ in range(2):
        contents = TextFiles.of(file).contents(print)
        assert contents.to_mapping() == {
            "task": "classes",
            "classes": {"bad": 30, "good": 30},
            "rows": 60,
            "left_out": {"blank lines": 2},
            "features": 0,
            "length": 6,
            "typical_length": 6,
            "splits": {"train": 38, "validation": 10, "test": 12},
            "notes": ["blanks around 40 labels are not part of the class"],
        }


def test_limits_are_those_of_the_longest_text_and_of_the_training_words(tmp_path: Path) -> None:
    dataset = TextFiles.of(write_csv(tmp_path / "a.csv", rows()))
    assert dataset.limits() == {"sequence_length": 7, "vocabulary": len(dataset.words(10_000))}
    whole = dataset.load("train", **dataset.limits())
    assert (whole.x[:, 0] == 1).all()  # the start mark: nothing is cut
    assert (whole.x != 2).all()


def test_an_encoding_is_found_or_given_and_in_the_fingerprint(tmp_path: Path) -> None:
    file = write_csv(
        tmp_path / "a.csv", [(f"très café {i}", label) for i, (_, label) in enumerate(rows())]
    )
    plain = TextFiles.of(file)
    assert "encoding" not in plain.to_mapping()
    (tmp_path / "b.csv").write_bytes(file.read_text().encode("cp1252"))
    guessed = TextFiles.of(tmp_path / "b.csv")
    given = TextFiles.of(tmp_path / "b.csv", encoding="windows-1252")
    assert guessed.to_mapping() == given.to_mapping()
    assert given.to_mapping()["encoding"] == "cp1252"
    assert given.fingerprint() == guessed.fingerprint()
    assert given.words(10_000) == plain.words(10_000)
    assert "read as cp1252" in guessed.contents(print).notes[0]
    assert given.contents(print).notes == []
    assert pickle.loads(pickle.dumps(guessed)).words(9) == guessed.words(9)


@pytest.mark.parametrize("labels", [("1", "1.0", "2"), ("a", "a ", "b")])
def test_rows_of_one_class_are_counted_together(tmp_path: Path, labels: tuple[str, ...]) -> None:
    found = TextFiles.of(write_csv(tmp_path / "a.csv", rows(60, labels)))
    assert list(found.contents(print).classes.values()) == [40, 20]


def test_numbers_as_labels_are_told_where_to_go(tmp_path: Path) -> None:
    found = [(text, f"{i * 1.5}") for i, (text, _) in enumerate(rows(200))]
    with pytest.raises(UserError, match=r"numbers to predict are read from an \.npz file"):
        TextFiles.of(write_csv(tmp_path / "a.csv", found))


def test_long_labels_are_cut_in_messages(tmp_path: Path) -> None:
    found = [*rows(), ("x", "odd" * 5_000)]
    with pytest.raises(UserError, match="1 row of label 'oddodd") as told:
        TextFiles.of(write_csv(tmp_path / "a.csv", found))
    assert len(str(told.value)) < 300
