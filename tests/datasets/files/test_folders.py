"""Folders: what is in them besides texts is counted, and what can't be read is one line."""

import os
from pathlib import Path

import pytest

from harness.core.errors import UserError
from harness.datasets.files import folders
from harness.datasets.files.rows import Source
from harness.datasets.files.texts import TextFiles


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for i in range(60):
        kind = tmp_path / "train" / ("pos" if i % 2 else "neg")
        kind.mkdir(parents=True, exist_ok=True)
        (kind / f"{i}.txt").write_text(f"word{i}")
    return tmp_path / "train"


def test_what_is_no_text_is_counted(folder: Path) -> None:
    (folder / "README").write_text("a")
    (folder / "pos" / "old").mkdir()
    (folder / "pos" / "a.html").write_text("a")
    (folder / "pos" / "A.TXT").write_text("capital")
    (folder / ".git").mkdir()
    contents = TextFiles.of(folder).contents(print)
    assert contents.classes == {"neg": 30, "pos": 31}
    assert contents.left_out == {
        "files outside the classes' folders": 1,
        "folders within a class's folder": 1,
        "files in a class's folder that are not .txt": 1,
    }


def test_a_folder_above_the_classes_is_told(folder: Path) -> None:
    with pytest.raises(UserError, match=f"name the folder {folder} itself"):
        TextFiles.of(folder.parent)


def test_links_to_nothing_and_pipes_are_one_line(folder: Path) -> None:
    os.symlink("nowhere", folder / "pos" / "link.txt")
    with pytest.raises(UserError, match=r"link\.txt can't be read: No such file"):
        TextFiles.of(folder)
    (folder / "pos" / "link.txt").unlink()
    os.mkfifo(folder / "pos" / "pipe.txt")
    with pytest.raises(UserError, match=r"pipe\.txt is not a regular file"):
        TextFiles.of(folder)


def test_names_of_any_bytes_are_read(folder: Path) -> None:
    strange = os.fsencode(folder) + b"/caf\xe9"
    os.mkdir(strange)
    for i in range(9):
        with open(strange + b"/\xff%d.txt" % i, "wb") as file:
            file.write(b"strange%d" % i)
    contents = TextFiles.of(folder).contents(print)
    assert contents.classes["caf\\xe9"] == 9
    assert "caf\\xe9 9" in contents.lines()[0]


def test_files_in_another_encoding_are_said_once(folder: Path) -> None:
    for i in range(3):
        (folder / "pos" / f"{i}x.txt").write_bytes("très café".encode("cp1252"))
    files, _ = folders.text_files(folder)
    found = folders.read({file: file.read_bytes() for file in files}, Source(str(folder)))
    (note,) = found.notes
    assert note.startswith("0x.txt is not UTF-8; read as cp1252")
    assert note.endswith("and 2 more files like it")
    assert found.encoding == "cp1252+utf-8"
