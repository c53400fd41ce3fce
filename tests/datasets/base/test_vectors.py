"""Files of word vectors: GloVe's and word2vec's text, packed or not; one line for bad ones."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import UserError
from harness.datasets.base import vectors

WORDS = ["<padding>", "<start>", "<unknown>", "<unused>", "good", "Bad", "größe", "none", "Film"]
LINES = "good 1 2.5 -3e-1\nbad 4 5 6\nBad 7 8 9\ngröße 0 0 1\nfilm 1 1 1\ngood 9 9 9\n. 0 0 0\n"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def written(path: Path, text: str, name: str = "v.txt") -> str:
    content = text.encode()
    (path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return str(path / name)


@pytest.mark.parametrize("heading", ["", "7 3\n"], ids=["GloVe", "word2vec"])
@pytest.mark.parametrize("name", ["v.txt", "v.txt.gz"])
def test_words_are_found_as_written_or_else_in_lower_case(
    tmp_path: Path, heading: str, name: str
) -> None:
    file = written(tmp_path, heading + LINES, name)
    assert vectors.dimension(file) == 3
    for _ in range(2):  # the second time from the cache
        vectors._lookup.cache_clear()
        found = vectors.lookup(file, WORDS)
        assert found.ids.tolist() == [4, 5, 6, 8]
        expected = [[1, 2.5, -0.3], [7, 8, 9], [0, 0, 1], [1, 1, 1]]
        np.testing.assert_allclose(found.values, expected, rtol=1e-6)
        assert found.values.dtype == np.float32


def test_a_file_that_is_written_again_is_read_again(tmp_path: Path) -> None:
    file = written(tmp_path, LINES)
    before, hashed = vectors.lookup(file, WORDS).values.copy(), vectors.sha256(file)
    written(tmp_path, LINES.replace("2.5", "2.6"))
    os.utime(file, (1, 1))
    assert vectors.sha256(file) != hashed
    assert (vectors.lookup(file, WORDS).values != before).any()


def test_a_vocabulary_without_a_vector_is_no_error(tmp_path: Path) -> None:
    found = vectors.lookup(written(tmp_path, LINES), [*WORDS[:4], "other"])
    assert found.values.shape == (0, 3)


BAD = {
    "a line too short": ("good 1 2 3\nBad 1 2\n", "line 2 has 2 numbers, others have 3"),
    "no number": ("good 1 2 3\nBad 1 x 2\n", "line 2 is .*not a text file of vectors"),
    "not finite": ("good 1 nan 3\n", "line 1 has a number that is not finite"),
    "other text": ("What a film it was\n", "line 1 is .*not a text file of vectors"),
    "binary": ("3 2\ngood \x00\x01\x02\n", "not a text file of vectors"),
    "heading of others": ("9 2\ngood 1 2 3\n", "line 2 has 3 numbers, others have 2"),
    "empty": ("", "not a text file of vectors"),
}


@pytest.mark.parametrize(("text", "complaint"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint) as refused:
        vectors.lookup(written(tmp_path, text), WORDS)
    assert "\n" not in str(refused.value)


def test_what_can_not_be_read_is_said_in_one_line(tmp_path: Path) -> None:
    for name in ("none.txt", ".", "a\0b"):
        with pytest.raises(UserError, match="no such file"):
            vectors.dimension(str(tmp_path / name))
    file = written(tmp_path, LINES * 50, "cut.gz")
    Path(file).write_bytes(Path(file).read_bytes()[:-20])
    with pytest.raises(UserError, match=r"cut\.gz can't be read"):
        vectors.lookup(file, WORDS)
