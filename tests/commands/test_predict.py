"""`harness predict`: a line out for each line in; bad input is one line and exit code 2."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.commands import labels, predict, verbs
from harness.core.errors import UserError

pytestmark = pytest.mark.usefixtures("no_keras")


def run(model: Path, *texts: str, stdin: bytes = b"", environment: Any = None) -> Any:
    runs = model.parents[3]
    return CliRunner().invoke(
        verbs.app, ["predict", "words", *texts, "--runs", str(runs)],
        input=stdin, standalone_mode=False, env=environment,
    )  # fmt: skip


def test_a_line_out_for_each_line_in(model: Path) -> None:
    done = run(model, stdin=b"all fine\n\n  \nbad\r\nlast")
    assert done.stdout.splitlines() == [
        "good 0.900  all fine", "bad 0.800  ", "bad 0.800    ", "bad 0.800  bad", "bad 0.800  last",
    ]  # fmt: skip
    assert run(model, "fine", "so").stdout == "good 0.900  fine\nbad 0.800  so\n"


def test_of_a_text_to_continue_the_next_character_is_told(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Repeats:
        """Says at each step that the character read comes again."""

        def predict(self, x: Any, verbose: int) -> Any:
            return 0.75 * (x[..., None] == np.arange(4, 7)) + 0.125 * (x[..., None] > 3)

    for module in (labels, predict):
        monkeypatch.setattr(module, "load_model", lambda folder: Repeats())
    params = json.loads((model / "params.json").read_text())
    params |= {"input": "symbols", "labels": ["a", "b", "␣"], "dataset": {"bits": True}}
    (model / "params.json").write_text(json.dumps(params))
    (model / "vocabulary.txt").write_text("<p>\n<s>\n<u>\n<n>\na\nb\n␣\n")
    assert run(model, "a ab", "ab  ").stdout == "b 0.875  a ab\n␣ 0.875  ab  \n"


def test_texts_are_translated(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Answers:
        """Of `fine` (id 4) `gut`, of all else nothing, and what it has written only once."""

        input_shape, output_shape = (None, 6), (None, 2, 2)

        def predict(self, x: Any, verbose: int) -> Any:
            says = (x == 4).any(axis=1)
            first = np.where(says[:, None], [0.1, 0.9], [0.8, 0.2])
            last = np.where(x[:, -1:] == 7, [0.5, 0.5], [0.4, 0.6])
            return np.stack([first, last], axis=1)

    for module in (labels, predict):
        monkeypatch.setattr(module, "load_model", lambda folder: Answers())
    params = json.loads((model / "params.json").read_text())
    params |= {"input": "symbols", "labels": ["<end>", "gut"], "dataset": {"decodes": True}}
    (model / "params.json").write_text(json.dumps(params))
    (model / "vocabulary.txt").write_text("<p>\n<s>\n<u>\n<n>\nfine\n<go>\n<end>\ngut\n")
    assert run(model, "so fine", "bad").stdout == "gut 0.450  so fine\n 0.800  bad\n"
    done = run(model, "--json", "so fine")
    assert json.loads(done.stdout) == {
        "text": "so fine", "translation": "gut", "probability": pytest.approx(0.45),
    }  # fmt: skip
    table = tmp_path / "new.csv"
    table.write_text("English\nso fine\nbad\n")
    done = run(model, "--data", str(table), "--text-column", "English")
    assert done.stdout == "translation,probability\ngut,0.45\n,0.8\n"
    table = tmp_path / "new.jsonl"
    table.write_text('{"text": "so fine"}\n')
    assert run(model, "--data", str(table)).stdout == "translation,probability\ngut,0.45\n"
    (model / "params.json").write_text(json.dumps({**params, "labels": []}))
    with pytest.raises(UserError, match=r"params\.json is damaged"):
        raise run(model, "fine").exception


def test_a_byte_order_mark_is_no_part_of_the_first_word(model: Path) -> None:
    assert run(model, stdin="\ufefffine".encode()).stdout == "good 0.900  fine\n"


@pytest.mark.parametrize(
    ("stdin", "number"),
    [
        (b"caf\xe9\n", 1),
        (b"one\ntwo\ncaf\xe9", 3),
        (b"fine\n" * 300 + b"\xff\n", 301),
        ("ä\n".encode() + "ä".encode("utf-16"), 2),
    ],
)
def test_bytes_that_are_not_text_are_named_by_their_line(
    model: Path, stdin: bytes, number: int
) -> None:
    done = run(model, stdin=stdin)
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith(f"stdin, line {number}: byte 0x")
    assert "\n" not in str(done.exception)


def test_texts_of_the_command_line_are_checked_as_well(model: Path) -> None:
    with pytest.raises(UserError, match=r"^text 2: byte 0xe9 is not UTF-8"):
        raise run(model, "fine", os.fsdecode(b"caf\xe9")).exception


def test_the_command_ends_with_2_and_one_line(model: Path) -> None:
    for encoding in ("utf-8", "ascii", "utf-8:strict"):
        done = subprocess.run(
            [sys.executable, "-c",
             "from harness.commands import main, predict\n"
             "import sys; sys.path.insert(0, sys.argv.pop(1))\n"
             "from model_testing import FindsFine\n"
             "predict.load_model = lambda folder: FindsFine()\nmain.main()",
             str(Path(__file__).parents[1]), "predict", "words"],
            input="fine ä\n".encode() + b"caf\xe9\n", cwd=model.parents[4], capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": encoding}, timeout=120,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert done.stderr.decode().startswith("error: stdin, line 2: byte 0xe9 is not UTF-8")
        assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("params.json", b""),
        ("params.json", b'{"hyperparameters": {'),
        ("params.json", b"[]"),
        ("params.json", b"\xff\xfe"),
        ("params.json", b'{"hyperparameters": 5, "input": "text"}'),
        ("params.json", b'{"hyperparameters": {}, "input": "text", "labels": ["a", "b"]}'),
        ("params.json", b'{"hyperparameters": {"sequence_length": 4}, "input": "text"}'),
        (
            "params.json",
            b'{"hyperparameters": {"sequence_length": 4}, "input": "text", "labels": ["a"]}',
        ),
        (
            "params.json",
            b'{"hyperparameters": {"sequence_length": "x"}, "input": "text", "labels": ["a", "b"]}',
        ),
        (
            "params.json",
            b'{"hyperparameters": {"sequence_length": 4}, "input": "text", "labels": ["a", "b"], '
            b'"tokenizer": "none"}',
        ),
        ("vocabulary.txt", b"\xff\xff"),
        ("model.keras", b"junk"),
        ("model.keras", b""),
    ],
)
def test_a_damaged_model_is_one_line(model: Path, name: str, content: bytes) -> None:
    (model / name).write_bytes(content)
    done = run(model, "fine")
    assert isinstance(done.exception, UserError), done.exception
    assert str(done.exception).startswith(f"{model / name} is damaged (")
    assert "\n" not in str(done.exception)
    assert done.stdout == ""


def test_a_model_cut_short_is_one_line(model: Path) -> None:
    whole = (model / "model.keras").read_bytes()
    for cut in (whole[: len(whole) // 2], whole[:-1], whole.replace(b"\0" * 900, b"\1" * 900)):
        (model / "model.keras").write_bytes(cut)
        done = run(model, "fine")
        assert isinstance(done.exception, UserError), done.exception
        assert "model.keras is damaged" in str(done.exception)


@pytest.mark.slow
def test_an_archive_that_is_no_model_is_one_line(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the real `load`
    with pytest.raises(UserError, match=r"model\.keras is damaged \(\w+: ") as caught:
        predict.load_model(model)
    assert "\n" not in str(caught.value)


def test_without_texts_there_is_nothing_to_predict(model: Path) -> None:
    params = json.loads((model / "params.json").read_text())
    (model / "params.json").write_text(json.dumps({**params, "input": "numbers"}))
    with pytest.raises(UserError, match="its dataset has no texts"):
        raise run(model, "fine").exception
