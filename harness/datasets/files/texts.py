"""The dataset `text-files`: your own texts and labels, from a table or from folders.

Tables are CSV, TSV, JSON Lines or Parquet files with a column of texts and a column of labels. A
folder has a subfolder for each class, with a `.txt` file for each text. All must be UTF-8.
Everything is checked before anything is trained.
"""

import csv
import functools
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, Unpack

import numpy as np

from harness.core.errors import UserError
from harness.datasets.base import cache, text, tokenizers
from harness.datasets.base.split_texts import SplitTexts, prepared
from harness.datasets.files.limits import (
    MAX_CLASSES,
    MIN_OF_A_CLASS,
    MIN_ROWS,
    Sizes,
    check_memory,
    metric_of,
    sizes,
)

TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
_MEMORY = 6  # bytes of memory for each byte of the file while it is read, with some reserve


@dataclass(frozen=True, kw_only=True)
class TextFiles(SplitTexts):
    """Made by `of`, which reads the labels; `labels` are sorted, class i is called `labels[i]`.

    If the largest class has more than five times the rows of the smallest, `metric` is balanced
    accuracy: the mean over classes of the share that is right.
    """

    path: str = ""
    text_column: str = "text"
    label_column: str = "label"
    tokenizer: str = "words"  # type: ignore[misc]
    labels: tuple[str, ...] = ()  # type: ignore[misc]
    classes: int = 2  # type: ignore[misc]
    metric: str = "accuracy"  # type: ignore[misc]

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
        split_seed: int = 0,
        **splits: Unpack[Sizes],
    ) -> Self:
        """The dataset of a file or folder; default sizes are 64, 16 and 20 % of the rows.

        Reads all of it. Raises UserError with a line that says what is wrong.
        """
        tokenizers.by_name(tokenizer)
        source = Source(str(Path(path).absolute()), text_column, label_column, tokenizer)
        corpus, labels, _ = _read(source)
        found = cls(
            **sizes(len(corpus.labels), splits),
            path=source.path,
            text_column=text_column,
            label_column=label_column,
            tokenizer=tokenizer,
            split_seed=split_seed,
            labels=labels,
            classes=len(labels),
            metric=metric_of(corpus.labels),
        )
        prepared(found)  # raises UserError for sizes that do not fit
        return found

    def corpus(self, notify: Callable[[str], None]) -> tuple[text.Corpus, str]:
        source = Source(self.path, self.text_column, self.label_column, self.tokenizer)
        corpus, labels, sha256 = _read(source)
        if labels != self.labels:
            raise UserError(f"{self.path} has changed while it was in use: it has other labels")
        return corpus, f"{sha256} {self.text_column} {self.label_column} {self.tokenizer}"

    def to_mapping(self) -> dict[str, Any]:
        return super().to_mapping() | {
            "file": Path(self.path).name,
            "text_column": self.text_column,
            "label_column": self.label_column,
            "tokenizer": self.tokenizer,
            "classes": self.classes,
            "metric": self.metric,
        }


@dataclass(frozen=True)
class Source:
    path: str
    text_column: str
    label_column: str
    tokenizer: str


@functools.lru_cache(maxsize=2)
def _read(source: Source) -> tuple[text.Corpus, tuple[str, ...], str]:
    """The tokenised rows, the names of the classes, and the SHA-256 of the bytes read."""
    path = Path(source.path)
    files = _files(path)
    check_memory(path, sum(file.stat().st_size for file in files), _MEMORY)
    raw = {file: _bytes(file) for file in files}
    sha256 = hashlib.sha256()
    for file, content in raw.items():
        sha256.update(f"{file.relative_to(path)} {len(content)}\n".encode() + content)
    told = [sha256.hexdigest(), source.text_column, source.label_column, source.tokenizer]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()

    def build() -> _Labelled:
        pairs = _folder(raw) if path.is_dir() else _table(path, raw[path], source)
        labels = _checked(path, pairs)
        numbers = {label: number for number, label in enumerate(labels)}
        corpus = text.Corpus.from_texts(
            (row for row, _ in pairs),
            (numbers[label] for _, label in pairs),
            tokenizers.by_name(source.tokenizer),
        )
        empty = np.flatnonzero(np.diff(corpus.offsets) == 0)
        if len(empty):
            raise UserError(
                f"{path}: {len(empty):,} texts have no token with --tokenizer {source.tokenizer}, "
                f"the first is {pairs[int(empty[0])][0][:40]!r}; remove them, or use --tokenizer "
                "characters"
            )
        return corpus, labels

    corpus, labels = cache.cached(
        f"text-files-{key[:16]}-{text.VERSION}",
        build=build,
        write=_save,
        read=_open,
        notify=lambda line: None,
    )
    return corpus, labels, told[0]


_Labelled = tuple[text.Corpus, tuple[str, ...]]


def _save(labelled: _Labelled, directory: Path) -> None:
    corpus, labels = labelled
    corpus.save(directory)
    (directory / "labels.json").write_text(json.dumps(labels), encoding="utf-8")


def _open(directory: Path) -> _Labelled:
    labels = json.loads((directory / "labels.json").read_text(encoding="utf-8"))
    return text.Corpus.open(directory), tuple(labels)


def _files(path: Path) -> list[Path]:
    """The table, or all files of a folder with a subfolder for each class."""
    if path.is_dir():
        folders = [each for each in sorted(path.iterdir()) if each.is_dir() and each.name[0] != "."]
        files = [file for folder in folders for file in sorted(folder.glob("*.txt"))]
        if not files:
            raise UserError(f"{path}: needs a folder for each class with .txt files in it")
        return files
    if path.suffix.lower() not in TABLES:
        raise UserError(
            f"--dataset {path}: files of this kind are not read; use {', '.join(TABLES)}, or a "
            "folder with a folder for each class (pickles are not opened: they may run code)"
        )
    if not path.is_file():
        raise UserError(f"--dataset {path}: no such file or folder")
    return [path]


def _checked(path: Path, pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    """The labels in order; raises UserError if there are too few rows or labels."""
    counts = Counter(label for _, label in pairs)
    if len(pairs) < MIN_ROWS:
        raise UserError(f"{path}: {len(pairs):,} rows are too few, at least {MIN_ROWS}")
    if len(counts) < 2:
        raise UserError(f"{path}: all rows have one label, {next(iter(counts))!r}; two are needed")
    if len(counts) > MAX_CLASSES:
        raise UserError(
            f"{path}: {len(counts):,} different labels, at most {MAX_CLASSES}; is it the right "
            "column? Name another with --label-column"
        )
    label, least = min(counts.items(), key=lambda item: (item[1], item[0]))
    if least < MIN_OF_A_CLASS:
        raise UserError(
            f"{path}: {least} rows of label {label!r} are too few, at least {MIN_OF_A_CLASS}; "
            "add some, or remove the label"
        )
    try:
        return tuple(sorted(counts, key=lambda label: (float(label), label)))
    except ValueError:
        return tuple(sorted(counts))


def _folder(raw: dict[Path, bytes]) -> list[tuple[str, str]]:
    """Texts and labels of files; the name of a file's folder is its label."""
    pairs = []
    for file, content in raw.items():
        decoded = _decoded(file, content)
        if not decoded.strip():
            raise UserError(f"{file} is empty; remove it")
        pairs.append((decoded, file.parent.name))
    return pairs


def _table(path: Path, raw: bytes, source: Source) -> list[tuple[str, str]]:
    rows = _READERS[path.suffix.lower()](path, raw, source)
    if not rows:
        raise UserError(f"{path} has no rows")
    pairs, empty = [], []
    for number, (content, label) in rows:
        if _empty(content) or _empty(label):
            empty.append(number)
        else:
            pairs.append((str(content), _label(label)))
    if empty:
        noun = "row has" if len(empty) == 1 else "rows have"
        raise UserError(
            f"{path}: {len(empty):,} {noun} no text or no label, the first is number {empty[0]}; "
            "remove such rows"
        )
    return pairs


def _empty(cell: object) -> bool:
    """Nothing, spaces, or NaN, which stands for a gap in a column of numbers."""
    return cell is None or cell != cell or not str(cell).strip()


def _label(label: object) -> str:
    """1.0 and 1 are one label: in tables with gaps, whole numbers become floats."""
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)


_Rows = list[tuple[int, tuple[object, object]]]  # numbered as in the file, from 1


def _separated(path: Path, raw: bytes, source: Source, delimiter: str) -> _Rows:
    content = _decoded(path, raw)
    limit = csv.field_size_limit(min(2**31 - 1, len(content) + 1))
    try:
        reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
        _check_columns(path, list(reader.fieldnames or ()), source)
        rows: _Rows = []
        for number, row in enumerate(reader, start=1):
            if None in row:
                raise UserError(
                    f"{path}: row {number} has more cells than the heading; put texts that contain "
                    "the delimiter in double quotes"
                )
            rows.append((number, (row[source.text_column], row[source.label_column])))
    except csv.Error as error:
        raise UserError(f"{path}: not a table that can be read ({error})") from None
    finally:
        csv.field_size_limit(limit)
    return rows


def _json_lines(path: Path, raw: bytes, source: Source) -> _Rows:
    rows: _Rows = []
    for number, line in enumerate(_decoded(path, raw).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            raise UserError(f"{path}: line {number} is not JSON ({error})") from None
        if not isinstance(found, dict):
            raise UserError(f"{path}: line {number} is not a JSON object")
        _check_columns(path, list(found), source)
        rows.append((number, (found[source.text_column], found[source.label_column])))
    return rows


def _parquet(path: Path, raw: bytes, source: Source) -> _Rows:
    try:
        import pyarrow.parquet
    except ImportError:
        raise UserError(f"{path}: reading Parquet needs pyarrow; pip install pyarrow") from None
    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(raw))
        _check_columns(path, file.schema_arrow.names, source)
        table = file.read(columns=list({source.text_column, source.label_column}))
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file that can be read ({error})") from None
    columns = (table[name].to_pylist() for name in (source.text_column, source.label_column))
    return list(enumerate(zip(*columns, strict=True), start=1))


_READERS: dict[str, Callable[[Path, bytes, Source], _Rows]] = {
    ".csv": functools.partial(_separated, delimiter=","),
    ".tsv": functools.partial(_separated, delimiter="\t"),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}


def _check_columns(path: Path, found: list[Any], source: Source) -> None:
    for option, name in (("text", source.text_column), ("label", source.label_column)):
        if name not in found:
            known = ", ".join(map(str, found)) or "none"
            raise UserError(
                f"{path} has no column {name!r}; it has {known}: name one with --{option}-column"
            )


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}") from None


def _decoded(file: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{file} is not UTF-8 (byte {error.start:,}, line {line:,}); convert it, for example "
            f"with: iconv -f LATIN1 -t UTF-8"
        ) from None
