"""`harness predict --data`: tables of texts in several forms, without a trained network."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from harness.commands import labels, verbs
from harness.core.errors import UserError

pytestmark = pytest.mark.usefixtures("no_keras")


def run(model: Path, *words: object) -> Any:
    arguments = ["predict", "words", *map(str, words), "--runs", str(model.parents[3])]
    return CliRunner().invoke(verbs.app, arguments, standalone_mode=False)


def about(model: Path, **dataset: str) -> None:
    """Let the study have read such a file."""
    params = json.loads((model / "params.json").read_text())
    (model / "params.json").write_text(json.dumps({**params, "dataset": dataset}))


TEXTS = ["all fine", "so\nso", 'a "quoted", fine one']
EXPECTED = [
    "label,probability of bad,probability of good",
    "good,0.100000,0.900000",
    "bad,0.800000,0.200000",
    "good,0.100000,0.900000",
]


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_each_kind_of_table_in_the_studys_column(model: Path, tmp_path: Path, name: str) -> None:
    about(model, text_column="Review")
    frame = pd.DataFrame({"id": [1, 2, 3], "review": TEXTS, "label": ["x", "y", "z"]})
    file = tmp_path / name
    if file.suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        frame.to_parquet(file)
    elif file.suffix == ".jsonl":
        frame.to_json(file, orient="records", lines=True)
    else:
        frame.to_csv(file, index=False, sep="\t" if file.suffix == ".tsv" else ",")
    done = run(model, "--data", file)
    assert done.exception is None, done.exception
    assert done.stdout.splitlines() == EXPECTED
    out = tmp_path / "out.csv"
    assert run(model, "--data", file, "-o", out).stdout == ""
    assert out.read_text().splitlines() == EXPECTED


def test_texts_alone_are_a_table(model: Path, tmp_path: Path) -> None:
    """Of one column, of which some texts look like rows with labels, and lists of tokens."""
    about(model, text_column="text")
    with (tmp_path / "a.csv").open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([["text"], *([t] for t in TEXTS)])
    assert run(model, "--data", tmp_path / "a.csv").stdout.splitlines() == EXPECTED
    (tmp_path / "a.jsonl").write_text('{"text": ["all", "fine"]}\n')
    assert run(model, "--data", tmp_path / "a.jsonl").stdout.splitlines() == EXPECTED[:2]


def test_what_is_made_of_a_file_is_said(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("Satz;n\nfine é;1\n".encode("cp1252"))
    done = run(model, "--data", tmp_path / "a.csv", "--text-column", "Satz")
    assert done.stdout.splitlines() == EXPECTED[:2]
    assert done.stderr.splitlines()[0].startswith("a.csv is not UTF-8; read as cp1252")
    done = run(model, "--data", tmp_path / "a.csv", "--text-column", "Satz", "--encoding", "utf-8")
    assert "is not utf-8" in str(done.exception)


def test_json_has_an_object_for_each_row(model: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nfine\nso\n")
    done = run(model, "--data", tmp_path / "a.csv", "--json")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["label"] for each in found] == ["good", "bad"]
    assert found[0]["probabilities"] == pytest.approx({"bad": 0.1, "good": 0.9})


def test_the_encoding_is_that_of_the_study(model: Path, tmp_path: Path) -> None:
    (model / "vocabulary.txt").write_text("\n".join(["<p>", "<s>", "<u>", "<n>", "да", ""]))
    about(model, text_column="text", encoding="cp1251")
    for encoding in ("cp1251", "utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "a.csv").write_bytes("text\nну да\n".encode(encoding))
        done = run(model, "--data", tmp_path / "a.csv")
        assert done.stdout.splitlines() == EXPECTED[:2], encoding


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", "review\nfine\n", "name one with --text-column"),
        ("a.csv", "text\nfine\n\n \n", None),
        ("a.csv", "id,text\n1,fine\n2,\n", "1 row has no text, the first is row 2 (line 3)"),
        ("a.csv", "text\n", "has no rows"),
        ("a.csv", 'text\n"so"\n"fine\n', "a double quote opens a text that is never closed"),
        ("a.jsonl", '{"text": {}}\n', "line 1: the text is an object"),
        ("a.txt", "fine", "give a table of texts: .csv, .tsv"),
        ("none.csv", None, "no such file"),
        ("", None, "give a table of texts"),
    ],
)
def test_files_that_do_not_do(
    model: Path, tmp_path: Path, name: str, content: str | None, complaint: str | None
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    done = run(model, "--data", tmp_path / name)
    if complaint is None:
        assert done.stdout.splitlines() == EXPECTED[:2]
        return
    assert isinstance(done.exception, UserError), done.exception
    assert complaint in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_label_for_each_step_and_a_number(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Steps:
        def predict(self, x: Any, verbose: int) -> Any:
            return np.stack([(x == 4)[:, -2:], (x != 4)[:, -2:]], axis=-1).astype(float)

    class Number:
        def predict(self, x: Any, verbose: int) -> Any:
            return (x == 4).sum(axis=1, keepdims=True)

    (tmp_path / "a.csv").write_text("text\nso fine\n")
    monkeypatch.setattr(labels, "load_model", lambda folder: Steps())
    assert run(model, "--data", tmp_path / "a.csv").stdout == "step 1,step 2\ngood,bad\n"
    params = json.loads((model / "params.json").read_text())
    (model / "params.json").write_text(json.dumps({**params, "labels": []}))
    monkeypatch.setattr(labels, "load_model", lambda folder: Number())
    assert run(model, "--data", tmp_path / "a.csv").stdout == "number\n1\n"
