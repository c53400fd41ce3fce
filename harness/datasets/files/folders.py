"""A folder with a folder for each class, and a `.txt` file in it for each text."""

import os
import stat
from collections import Counter
from pathlib import Path

from harness.core.errors import UserError
from harness.core.text import counted, cut
from harness.datasets.files.decoding import UTF8, decoded
from harness.datasets.files.rows import Rows, Source

_SUFFIX = ".txt"
_NOT_TEXTS = f"files in a class's folder that are not {_SUFFIX}"
_DEEPER = "folders within a class's folder"


def text_files(folder: Path) -> tuple[list[Path], Counter[str]]:
    """The files of all classes in order, and how many other entries there are, by reason.

    Raises UserError where there are none, or one can't be read.
    """
    files: list[Path] = []
    others: Counter[str] = Counter()
    deeper: Path | None = None
    for kind in _entries(folder):
        if kind.name.startswith("."):
            continue
        if not kind.is_dir():
            others["files outside the classes' folders"] += 1
            continue
        for entry in _entries(Path(kind.path)):
            path = Path(entry.path)
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                others[_DEEPER] += 1
                deeper = deeper or path.parent
            elif path.suffix.lower() != _SUFFIX:
                others[_NOT_TEXTS] += 1
            else:
                _check_regular(path)
                files.append(path)
    if not files:
        hint = f"; name the folder {deeper} itself, or one beside it" if deeper else ""
        raise UserError(f"{folder}: needs a folder for each class with {_SUFFIX} files in it{hint}")
    return files, others


def read(raw: dict[Path, bytes], source: Source) -> Rows:
    """Texts and labels of files; the name of a file's folder is its label."""
    rows = Rows(unit="file")
    guessed: list[str] = []
    encodings: set[str] = set()
    for number, (file, content) in enumerate(raw.items(), start=1):
        found = decoded(file, content, source.encoding)
        encodings.add(found.encoding)
        if found.note:
            guessed.append(found.note)
        if not found.text.strip():
            raise UserError(f"{file} is empty; remove it")
        rows.add(found.text, _name(file.parent), number)
    if guessed:
        others = f", and {counted(len(guessed) - 1, 'more file')} like it" if guessed[1:] else ""
        rows.notes.append(guessed[0] + others)
    rows.encoding = "+".join(sorted(encodings)) if encodings != {UTF8} else UTF8
    return rows


def _name(folder: Path) -> str:
    """A folder's name as a label; bytes that are no text are escaped."""
    return os.fsencode(folder.name).decode("utf-8", "backslashreplace")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} can't be read: {error.strerror}") from None


def _check_regular(path: Path) -> None:
    """Raises UserError for a dangling link, a pipe and the like."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise UserError(
            f"{cut(str(path), 300)} can't be read: {error.strerror}; remove it"
        ) from None
    if not stat.S_ISREG(mode):
        raise UserError(f"{cut(str(path), 300)} is not a regular file; remove it")
