"""Mutated files for the loaders of data: each gives data or a UserError, and nothing else."""

import io
import json
import os
import pickle
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
from dataset_testing import object_array

from harness.core.errors import UserError
from harness.datasets.base import npz
from harness.datasets.files import folders
from harness.datasets.files.rows import Source
from harness.datasets.files.sequences import NumberFiles
from harness.datasets.files.texts import read_rows

INTERESTING = (
    b'"', b'""', b",", b"\t", b";", b"\r", b"\n", b"\0", b"\\", b"\xff\xfe", b"\xef\xbb\xbf",
    b"\x80",
    b"{", b"}", b"[" * 200, b"null", b"NaN", b"1e999", b"\\ud800", b"9" * 400, b"-1", b"true",
    b"\xff" * 4, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0" * 8, b"\x80\x04",
    b"r\xff\xff\xff\x7f", b"p99999999999\n", b"|O", b"<U0", b"<f4", b"True", "é".encode(),
    "\U0001f1e9".encode() * 50, b"text", b"label", b"(1,", b")", b"'", b"10000000000",
)  # fmt: skip


def mutated(dice: random.Random, data: bytes) -> bytes:
    """`data` with one to four changes: bytes, lengths and whole parts."""
    content = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(content) + 1)
        end = min(len(content), at + int(2 ** dice.uniform(0, 9)))
        kind = dice.randrange(7)
        if kind == 0 and at < len(content):
            content[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            content[at:end] = dice.randbytes(end - at)
        elif kind == 2:
            del content[at:end]
        elif kind == 3:
            content[at:at] = content[at:end] * dice.randint(1, 4)
        elif kind == 4:
            content[at:at] = dice.choice(INTERESTING)
        elif kind == 5:
            new = dice.choice(INTERESTING)
            content[at : at + len(new)] = new
        elif dice.random() < 0.2:
            del content[at:]
    return bytes(content)


def _rows() -> list[tuple[str, str]]:
    return [(f"good film {i}, «{i % 7}»", "pos") for i in range(30)] + [
        (f"bad \U0001f1e9\U0001f1ea film {i}\nreally", "neg") for i in range(30)
    ]


def _separated(delimiter: str) -> bytes:
    lines = [f'"{text}"{delimiter}{label}' for text, label in _rows()]
    return "\n".join([f"text{delimiter}label", *lines, ""]).encode()


def _plain_table() -> bytes:
    return "\r\n".join(["label\ttext", *(f"{i % 2}.0\tword{i} film" for i in range(60))]).encode()


def _json_lines() -> bytes:
    return "\n".join(json.dumps({"text": t, "label": y, "id": 1}) for t, y in _rows()).encode()


def _parquet(**options: object) -> bytes:
    import pyarrow
    import pyarrow.parquet

    texts, labels = zip(*_rows(), strict=True)
    file = io.BytesIO()
    table = pyarrow.table({"text": texts, "label": labels, "stars": [1.5] * 60})
    pyarrow.parquet.write_table(table, file, **options)
    return file.getvalue()


def _archive(**arrays: np.ndarray) -> dict[str, bytes]:
    found = {}
    for name, array in arrays.items():
        member = io.BytesIO()
        np.save(member, array, allow_pickle=True)
        found[name] = member.getvalue()
    return found


def _zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def _numbers() -> dict[str, bytes]:
    x = np.random.RandomState(0).normal(size=(60, 6, 2))
    return _archive(x=x, y=(x[:, 0, 0] > 0).astype(np.float64))


def _reviews(protocol: int) -> dict[str, bytes]:
    rows = object_array([[1, 300, 70_000 + i] for i in range(20)])
    members = _archive(x_train=rows, y_train=np.arange(20) % 2)
    head = members["x_train"][: members["x_train"].index(b"\x80")]
    return {**members, "x_train": head + pickle.dumps(rows, protocol=protocol)}


SOURCES: dict[str, list[bytes]] = {
    ".csv": [_separated(","), _separated(";")],
    ".tsv": [_separated("\t"), _plain_table()],
    ".jsonl": [_json_lines()],
}
ARCHIVES = {
    "sequences.npz": [
        _numbers(),
        _archive(x=np.zeros((60, 3, 1), "u1"), y=np.array(["a", "b"] * 30)),
    ],
    "imdb.npz": [_reviews(2), _reviews(4)],
}
KINDS = (*SOURCES, ".parquet", *ARCHIVES, "folder")


class Fuzzer:
    """Mutated inputs of one kind, repeatable by `seed`; files are written to `folder`."""

    def __init__(self, kind: str, folder: Path, seed: int) -> None:
        self._kind, self._folder, self._dice = kind, folder, random.Random(f"{kind} {seed}")
        self._number = 0
        if kind == ".parquet":
            one = _parquet(compression="none", use_dictionary=False)
            delta = {"column_encoding": {"text": "DELTA_BYTE_ARRAY"}, "use_dictionary": False}
            self._seeds = [_parquet(), one, _parquet(**delta)]
        elif kind in SOURCES:
            self._seeds = SOURCES[kind]

    def once(self) -> bool:
        """Load one mutated input; whether it was refused. Raises what a loader must not raise."""
        self._number += 1
        load = self._loader()
        try:
            load()
        except UserError as error:
            message = str(error)
        else:
            return False
        assert "\n" not in message
        assert len(message) < 1_000
        return True

    def _loader(self) -> Callable[[], object]:
        dice = self._dice
        if self._kind == "folder":
            return self._folder_of_texts()
        path = self._folder / f"{self._number}{self._kind}"
        if self._kind in ARCHIVES:
            members = dict(dice.choice(ARCHIVES[self._kind]))
            if dice.random() < 0.8:  # inside, so that the checksums are right
                name = dice.choice(sorted(members))
                members[name] = mutated(dice, members[name])
                content = _zipped(members)
            else:
                content = mutated(dice, _zipped(members))
            path.write_bytes(content)
            return lambda: self._read_archive(path)
        content = mutated(dice, dice.choice(self._seeds))
        source = Source(str(path), tokenizer=dice.choice(["words", "characters", "keras"]))
        return lambda: read_rows(path, {path: content}, source, Counter())

    def _read_archive(self, path: Path) -> None:
        try:
            if self._kind == "imdb.npz":
                npz.read_part(path, "train")
            else:
                dataset = NumberFiles.of(
                    path, task=self._dice.choice([None, None, "number", "classes"])
                )
                dataset.load("train", sequence_length=3, vocabulary=4)
        finally:
            path.unlink()

    def _folder_of_texts(self) -> Callable[[], object]:
        root = self._folder / str(self._number)
        for label in (b"pos", b"neg"):
            kind = os.fsencode(root) + b"/" + self._name(label)
            os.makedirs(kind, exist_ok=True)
            for i in range(30):
                file = kind + b"/" + (self._name(b"%d.txt" % i) if i == 0 else b"%d.txt" % i)
                content = f"{label.decode()} film {i} é".encode()
                if os.path.isdir(file):
                    continue
                with open(file, "wb") as opened:
                    opened.write(mutated(self._dice, content) if i < 3 else content)
        if self._dice.random() < 0.1:
            os.symlink("nowhere", os.fsencode(root) + b"/link.txt")
            os.symlink("nowhere", kind + b"/link.txt")

        def load() -> None:
            files, others = folders.text_files(root)
            raw = {file: file.read_bytes() for file in files}
            read_rows(root, raw, Source(str(root)), others)

        return load

    def _name(self, name: bytes) -> bytes:
        """A file's name, sometimes with bytes that are no text."""
        if self._dice.random() < 0.5:
            return name
        changed = mutated(self._dice, name).translate(None, b"/\0\n")[:100]
        return changed.strip(b".") or name
