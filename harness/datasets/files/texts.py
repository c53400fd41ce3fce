"""The dataset `text-files`: your own texts and labels, from a table or from folders.

Tables are CSV, TSV, JSON Lines or Parquet files with a column of texts and a column of labels. A
folder has a subfolder for each class, with a `.txt` file for each text. Everything is checked
before anything is trained.
"""

import functools
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

import numpy as np

from harness.core.errors import UserError
from harness.core.text import counted, cut
from harness.datasets.base import cache, text, tokenizers
from harness.datasets.base.contents import Contents
from harness.datasets.base.memory import check_memory
from harness.datasets.base.split_texts import SplitTexts, prepared
from harness.datasets.files import folders, json_lines, labels, parquet, separated
from harness.datasets.files.decoding import UTF8, is_unicode
from harness.datasets.files.limits import (
    MAX_CLASSES,
    MIN_OF_A_CLASS,
    MIN_ROWS,
    Sizes,
    metric_of,
    sizes,
)
from harness.datasets.files.rows import BYTE_MEMORY, ROW_MEMORY, SEQUENCES, Rows, Source

_VERSION = 2  # of reading files; with a new number, they are read again
_READERS: dict[str, Callable[[Path, bytes, Source], Rows]] = {
    ".csv": functools.partial(separated.read, delimiter=","),
    ".tsv": functools.partial(separated.read, delimiter="\t"),
    ".jsonl": json_lines.read,
    ".ndjson": json_lines.read,
    ".parquet": parquet.read,
}


@dataclass(frozen=True, kw_only=True)
class TextFiles(SplitTexts):
    """Made by `of`, which reads the labels; `labels` are sorted, class i is called `labels[i]`.

    If the largest class has more than five times the rows of the smallest, `metric` is balanced
    accuracy: the mean over classes of the share that is right. `text_encoding` is how the file was
    read, `given_encoding` what the user says about it, and `content` the SHA-256 of its bytes.
    """

    path: str = ""
    text_column: str = "text"
    label_column: str = "label"
    tokenizer: str = "words"  # type: ignore[misc]
    labels: tuple[str, ...] = ()  # type: ignore[misc]
    classes: int = 2  # type: ignore[misc]
    metric: str = "accuracy"  # type: ignore[misc]
    text_encoding: str = UTF8
    given_encoding: str | None = None
    content: str = ""

    name: ClassVar[str] = "text-files"
    input: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.labels:
            raise UserError(
                "dataset text-files: name the file itself, --dataset reviews.csv, or in a study "
                'file TextFiles.of("reviews.csv")'
            )

    @classmethod
    def of(
        cls,
        path: str | Path,
        *,
        text_column: str = "text",
        label_column: str = "label",
        tokenizer: str = "words",
        encoding: str | None = None,
        split_seed: int = 0,
        **splits: Unpack[Sizes],
    ) -> Self:
        """The dataset of a file or folder; default sizes are 64, 16 and 20 % of the rows.

        Without an `encoding` it is found by the file's byte order mark, or is UTF-8, or a guess
        that is said. Reads all of it. Raises UserError with a line that says what is wrong.
        """
        tokenizers.by_name(tokenizer)
        file = os.path.abspath(path)
        source = Source(file, text_column, label_column, tokenizer, encoding)
        _read.cache_clear()  # the file may be another one than before
        read = _read(source)
        found = cls(
            **sizes(len(read.corpus.labels), splits),
            path=source.path,
            text_column=text_column,
            label_column=label_column,
            tokenizer=tokenizer,
            split_seed=split_seed,
            labels=read.labels,
            classes=len(read.labels),
            metric=metric_of(read.corpus.labels),
            text_encoding=read.encoding,
            given_encoding=encoding,
            content=read.sha256,
        )
        prepared(found)  # raises UserError for sizes that do not fit
        return found

    def corpus(self, notify: Callable[[str], None]) -> tuple[text.Corpus, str]:
        read = self._read()
        told = [read.sha256, self.text_column, self.label_column, self.tokenizer]
        if read.encoding != UTF8:
            told.append(read.encoding)
        return read.corpus, " ".join(told)

    def contents(self, notify: Callable[[str], None]) -> Contents:
        read = self._read()
        return replace(super().contents(notify), left_out=read.left_out, notes=read.notes)

    def limits(self) -> dict[str, int]:
        longest = int(np.diff(self._read().corpus.offsets).max())
        # With the start mark before each text; marks and the words of the training split.
        return {"sequence_length": longest + 1, "vocabulary": len(prepared(self).words)}

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {
            "file": Path(self.path).name,
            "text_column": self.text_column,
            "label_column": self.label_column,
            "tokenizer": self.tokenizer,
            "classes": self.classes,
            "metric": self.metric,
            **({} if self.text_encoding == UTF8 else {"encoding": self.text_encoding}),
        }

    def _read(self) -> "_Read":
        columns = self.text_column, self.label_column
        read = _read(Source(self.path, *columns, self.tokenizer, self.given_encoding))
        if read.sha256 != self.content:
            raise UserError(f"{self.path} has changed while it was in use; put it back")
        return read


def _of_table(path: Path, raw: bytes, source: Source) -> Rows:
    """The rows of a table; raises UserError, also where they would not fit into memory."""
    check_memory(path, BYTE_MEMORY * len(raw) + ROW_MEMORY * raw.count(b"\n"))
    return _READERS[path.suffix.lower()](path, raw, source)


def read_inputs(source: Source, usual: str | None) -> tuple[list[str], list[str]]:
    """The texts of a table that a model is to label, in order, and how it was read.

    `usual` is the encoding of the study's data. It is taken for a file that is not UTF-8, has no
    mark, and whose own encoding is not given. Raises UserError.
    """
    path = Path(source.path)
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise UserError(f"--data {path}: give a table of texts: {', '.join(_READERS)}")
    if not os.path.isfile(path):
        raise UserError(f"--data {path}: no such file")
    check_memory(path, BYTE_MEMORY * path.stat().st_size)
    raw = _bytes(path)
    if source.encoding is None and suffix != ".parquet" and not is_unicode(raw):
        source = replace(source, encoding=usual)
    rows = _of_table(path, raw, source)
    if rows.lacking:
        noun = "row has" if len(rows.lacking) == 1 else "rows have"
        raise UserError(
            f"{path}: {len(rows.lacking):,} {noun} no text, the first is {rows.lacking[0]}; "
            "remove such rows"
        )
    if not rows.texts:
        raise UserError(f"{path} has no rows")
    return rows.texts, rows.notes


@dataclass(frozen=True)
class _Read:
    """A source's tokenised rows, the names of its classes, and what was made of it."""

    corpus: text.Corpus
    labels: tuple[str, ...]
    encoding: str
    left_out: dict[str, int]
    notes: list[str]
    sha256: str = ""  # of the bytes that were read


@functools.lru_cache(maxsize=2)
def _read(source: Source) -> _Read:
    """Everything in a source, from the cache where it was read before."""
    path = Path(source.path)
    files, others = _files(path)
    size = sum(file.stat().st_size for file in files)
    check_memory(path, BYTE_MEMORY * size + ROW_MEMORY * len(files))
    raw = {file: _bytes(file) for file in files}
    sha256 = hashlib.sha256()
    for file, content in raw.items():
        name = os.fsencode(file.relative_to(path))
        sha256.update(b"%s %d\n" % (name, len(content)) + content)
    digest = sha256.hexdigest()
    told = [digest, source.text_column, source.label_column, source.tokenizer]
    key = hashlib.sha256(json.dumps([*told, source.encoding, _VERSION]).encode()).hexdigest()
    found = cache.cached(
        f"text-files-{key[:16]}-{text.VERSION}",
        build=lambda: read_rows(path, raw, source, others),
        write=_save,
        read=_open,
        notify=lambda line: None,
    )
    return replace(found, sha256=digest)


def read_rows(path: Path, raw: dict[Path, bytes], source: Source, left_out: Counter[str]) -> _Read:
    """The content of files as a corpus; raises UserError for all that can't be used."""
    if path.suffix.lower() in _READERS and path in raw:
        rows = _of_table(path, raw[path], source)
    else:
        rows = folders.read(raw, source)
    _check_complete(path, rows)
    clean = labels.cleaned(rows.labels, lambda at: f"{path}: {rows.place(at)}")
    names = _checked(path, clean.of_rows)
    numbers = {label: number for number, label in enumerate(names)}
    corpus = text.Corpus.from_texts(
        rows.texts, map(numbers.__getitem__, clean.of_rows), tokenizers.by_name(source.tokenizer)
    )
    empty = np.flatnonzero(np.diff(corpus.offsets) == 0)
    if len(empty):
        raise UserError(
            f"{path}: {counted(len(empty), 'text')} without a token of --tokenizer "
            f"{source.tokenizer}, the first is {cut(rows.texts[int(empty[0])])!r} in "
            f"{rows.place(int(empty[0]))}; remove them, or use --tokenizer characters"
        )
    return _Read(
        corpus=corpus,
        labels=names,
        encoding=rows.encoding,
        left_out=dict(left_out + rows.left_out),
        notes=[*rows.notes, *clean.notes],
    )


def _save(read: _Read, directory: Path) -> None:
    read.corpus.save(directory)
    told = {
        "labels": read.labels,
        "encoding": read.encoding,
        "left_out": read.left_out,
        "notes": read.notes,
    }
    (directory / "read.json").write_text(json.dumps(told), encoding="utf-8")


def _open(directory: Path) -> _Read:
    told = json.loads((directory / "read.json").read_text(encoding="utf-8"))
    labels = tuple(told.pop("labels"))
    return _Read(corpus=text.Corpus.open(directory), labels=labels, **told)


def _files(path: Path) -> tuple[list[Path], Counter[str]]:
    """The table, or all files of a folder, and what else is in the folder."""
    if os.path.isdir(path):
        return folders.text_files(path)
    if path.suffix.lower() not in _READERS:
        raise UserError(
            f"--dataset {path}: files of this kind are not read; use {', '.join(_READERS)}, or a "
            "folder with a folder for each class (pickles are not opened: they may run code)"
        )
    if not os.path.isfile(path):
        raise UserError(f"--dataset {path}: no such file or folder")
    return [path], Counter()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from None


def _check_complete(path: Path, rows: Rows) -> None:
    """Raises UserError where rows lack a text or a label, or there are none."""
    if rows.lacking:
        noun = "row has" if len(rows.lacking) == 1 else "rows have"
        raise UserError(
            f"{path}: {len(rows.lacking):,} {noun} no text or no label, the first is "
            f"{rows.lacking[0]}; remove such rows"
        )
    if not rows.texts:
        raise UserError(f"{path} has no rows")


def _checked(path: Path, found: list[str]) -> tuple[str, ...]:
    """The classes in order; raises UserError if there are too few rows or labels."""
    counts = Counter(found)
    if len(found) < MIN_ROWS:
        raise UserError(f"{path}: {len(found):,} rows are too few, at least {MIN_ROWS}")
    if len(counts) < 2:
        raise UserError(
            f"{path}: all rows have one label, {cut(next(iter(counts)))!r}; two are needed"
        )
    if len(counts) > MAX_CLASSES:
        numbers = all(map(labels.is_number, counts))
        hint = f"; numbers to predict are read from {SEQUENCES}" if numbers else ""
        raise UserError(
            f"{path}: {len(counts):,} different labels, at most {MAX_CLASSES}; is it the right "
            f"column? Name another with --label-column{hint}"
        )
    label, least = min(counts.items(), key=lambda item: (item[1], item[0]))
    if least < MIN_OF_A_CLASS:
        rows = "row of label {} is" if least == 1 else "rows of label {} are"
        raise UserError(
            f"{path}: {least} {rows.format(repr(cut(label)))} too few, at least {MIN_OF_A_CLASS}; "
            "add some, or remove the label"
        )
    return labels.ordered(counts)
