"""Sentences with a tag for each token: read from CoNLL files and tables, and encoded."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.core import spans
from harness.core.errors import UserError
from harness.datasets.files import tagged
from harness.datasets.files.tagged import TagSource
from harness.datasets.files.tags import TagFiles

WORDS = ("red", "green", "Blue", ".", "影", "don't", "U.S.")


def sentences(n: int = 60) -> list[tuple[list[str], list[str]]]:
    """Of 1 to 6 tokens; the tag says whether the next token is `red`."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(n):
        tokens = [*rng.choice(WORDS, rng.integers(0, 6)).tolist(), f"word{number}"]
        tags = ["B-X" if after == "red" else "O" for after in [*tokens[1:], ""]]
        found.append((tokens, tags))
    return found


def conll(path: Path, text: str | None = None) -> Path:
    parts = ["-DOCSTART- -X- O O\n\n"]
    for number, (tokens, tags) in enumerate(sentences()):
        gap = "\t" if number % 2 else " "
        lines = [f"{token}{gap}NN{gap}{tag}" for token, tag in zip(tokens, tags, strict=True)]
        parts.append("\n".join(lines) + "\n\n")
    file = path / "a.conll"
    file.write_text("".join(parts) if text is None else text)
    return file


def json_lines(path: Path) -> Path:
    file = path / "a.jsonl"
    rows = [{"tokens": tokens, "tags": tags} for tokens, tags in sentences()]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def table(path: Path) -> Path:
    import pandas as pd

    file = path / "a.csv"
    pd.DataFrame(sentences(), columns=["tokens", "tags"]).to_csv(file, index=False)
    return file


@pytest.mark.parametrize("make", [conll, json_lines, table])
def test_all_kinds_of_files_have_the_same_sentences(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    found, _ = tagged.read(TagSource(str(make(tmp_path))))
    assert list(zip(found.tokens, found.tags, strict=True)) == sentences()
    assert tagged.has_columns(tmp_path / "a.conll") is False
    assert tagged.has_columns(make(tmp_path)) is (make is not conll)


def test_each_token_has_its_tag_and_padding_has_none(tmp_path: Path) -> None:
    dataset = TagFiles.of(conll(tmp_path))
    assert (dataset.labels, dataset.classes, dataset.steps) == (("B-X", "O"), 2, 6)
    assert (dataset.train, dataset.validation, dataset.test) == (38, 10, 12)
    assert dataset.limits() == {"sequence_length": 7, "vocabulary": len(dataset.words(999))}
    words = dataset.words(999)
    seen = set()
    for split in ("train", "validation", "test"):
        arrays = dataset.load(split, sequence_length=9, vocabulary=999)
        assert arrays.y.shape == (getattr(dataset, split), 6)
        for x, y in zip(arrays.x, arrays.y, strict=True):
            n = int((y >= 0).sum())
            assert not x[: 8 - n].any()
            assert x[8 - n] == 1  # the mark before the first token
            assert (y[: 6 - n] == -1).all()
            after = [*[words[at] for at in x[9 - n :]][1:], ""]
            assert y[6 - n :].tolist() == [0 if word == "red" else 1 for word in after]
            seen.add(n)
    assert seen == {1, 2, 3, 4, 5, 6}
    assert "Blue" in words
    assert pickle.loads(pickle.dumps(dataset)).fingerprint() == dataset.fingerprint()


def test_what_was_understood_is_told(tmp_path: Path) -> None:
    contents = TagFiles.of(conll(tmp_path)).contents(print)
    assert contents.task == "tags"
    first, second, *_ = contents.lines()
    tags = [tag for _, tags in sentences() for tag in tags]
    assert first == (
        f"60 examples, a tag of 2 for each token: B-X {tags.count('B-X')}, O {tags.count('O')}"
    )
    assert second.startswith("sequences of up to 6 tokens")


def test_other_tags_are_another_fingerprint(tmp_path: Path) -> None:
    fingerprint = TagFiles.of(conll(tmp_path)).fingerprint()
    text = (tmp_path / "a.conll").read_text()
    changed = TagFiles.of(conll(tmp_path, text.replace("word3 NN O", "word3 NN B-X")))
    assert changed.fingerprint() == fingerprint  # word3 is in a sentence with tabs
    changed = TagFiles.of(conll(tmp_path, text.replace("word4 NN O", "word4 NN B-X")))
    assert changed.fingerprint() != fingerprint


def lines(path: Path, row: str) -> Path:
    file = json_lines(path)
    file.write_text(file.read_text() + row + "\n")
    return file


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "one column": (lambda p: conll(p, "Anna O\nsings\n"), "line 2 has one column, 'sings'"),
    "no blank lines": (lambda p: conll(p, "a O\nb X\n" * 99), "1 sentences are too few.*blank"),
    "nothing": (lambda p: conll(p, "-DOCSTART- O\n\n"), "has no sentences"),
    "one tag": (lambda p: conll(p, "a O\n\n" * 60), "1 different tags, for example 'O'"),
    "many tags": (
        lambda p: conll(p, "".join(f"a {n}\n\n" for n in range(600))), "600 different tags"),
    "other lengths": (lambda p: lines(p, '{"tokens": ["a"], "tags": ["O", "O"]}'),
                      "row 61 has 1 tokens and 2 tags"),
    "no list": (lambda p: lines(p, '{"tokens": "a b", "tags": ["O"]}'), "row 61: tokens is no li"),
    "no text": (lambda p: lines(p, '{"tokens": ["a", null], "tags": []}'), "row 61: tokens has No"),
    "a blank": (lambda p: lines(p, '{"tokens": [" "], "tags": ["O"]}'), "are words"),
    "no tags": (lambda p: lines(p, '{"tokens": ["a"], "tags": []}'), "row 61: tags is no list"),
    "another kind": (lambda p: p / "a.xml", "files of this kind have no tags"),
    "no such file": (lambda p: p / "none.conll", "no such file"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "complaint"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_in_one_line(
    tmp_path: Path, make: Callable[[Path], Path], complaint: str
) -> None:
    with pytest.raises(UserError, match=complaint) as refused:
        TagFiles.of(make(tmp_path))
    assert "\n" not in str(refused.value)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no column 'words'.*--text-column"):
        TagFiles.of(json_lines(tmp_path), tokens_column="words")
    with pytest.raises(UserError, match="name the file itself"):
        TagFiles(train=1, validation=1, test=1)


@pytest.mark.parametrize("letters", ["BI", "BIES", "BILU"])
def test_the_f1_of_spans_is_that_of_seqeval(letters: str) -> None:
    pytest.importorskip("seqeval", reason="needs seqeval")
    labels = ["O", *(f"{letter}-X" for letter in letters), "B-Y"]
    y = np.array([[-1, 0, 1, 2, 0], [-1, -1, len(letters) + 1, 0, 0]])
    assert spans.measures(labels, y, y) == {"span F1": 1.0}
    one_wrong = y.copy()
    one_wrong[1, 2] = 0  # of two spans one is found: precision 1, recall 1/2
    assert spans.measures(labels, one_wrong, y)["span F1"] == pytest.approx(2 / 3)
    padded = np.where(y < 0, 1, y)  # what is said of padding does not count
    assert spans.measures(labels, padded, y) == {"span F1": 1.0}
    assert spans.measures(labels, np.zeros_like(y), y) == {"span F1": 0.0}
    assert spans.measures(["NOUN", "VERB"], y, y) == {}


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", "EU B-ORG\nrejects O\n\nPeter B-PER\nBlack I-PER\n", True),
        ("a.txt", "It was a bright cold day in April,\nand the clocks\nwere striking.\n", False),
        ("a.txt", "one\nword\na\nline\n", False),
        ("a.txt", "", False),
        ("a.conll", "", True),
        ("a.csv", "a b\nc d\n", False),
    ],
)
def test_plain_text_is_no_conll_file(
    name: str, content: str, expected: bool, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    assert tagged.is_conll(tmp_path / name) is expected
