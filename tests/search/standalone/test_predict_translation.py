"""The script beside a model that translates: what it reads, and what it writes."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.datasets import translation
from harness.search.standalone import predict_translation

WORDS = ["<p>", "<s>", "<u>", "<n>", "<go>", "<end>", "two", "ten", "deux", "dix"]
LABELS = ["<end>", "deux", "dix"]
STEPS = 3


class Repeats:
    """Writes `deux` for two and `dix` for ten, in turn with what was written; then ends."""

    input_shape, output_shape = (None, 7), (None, STEPS, 3)

    def predict(self, x: Any, verbose: int = 0) -> Any:
        found = np.full((len(x), STEPS, 3), 0.1)
        for row, each in zip(found, x, strict=True):
            first = 2 if 7 in each else 1
            row[0, first] = 0.8
            row[1, 3 - first if each[-2] == 7 + first else 0] = 0.5
            row[2, 0] = 0.9
        return found


def test_it_reads_a_text_between_its_marks() -> None:
    x = predict_translation.encoded([["two"], ["ten", "six", "two"], ["ten"] * 9], WORDS, 7, STEPS)
    assert x.tolist() == [[0, 0, 1, 6, 4, 0, 0], [1, 7, 2, 6, 4, 0, 0], [7, 7, 7, 7, 4, 0, 0]]


def test_the_marks_are_those_of_the_data() -> None:
    assert predict_translation.GO == translation.GO
    assert translation.Translation.labels[predict_translation.END] == translation.END


def test_it_reads_what_it_has_written() -> None:
    x = predict_translation.encoded([["two"], ["ten"]], WORDS, 7, STEPS)
    before = x.copy()
    found = predict_translation.translated(Repeats().predict, x, WORDS, LABELS, STEPS)
    assert [answer for answer, _ in found] == ["deux dix", "dix deux"]
    assert [p for _, p in found] == pytest.approx([0.8 * 0.5 * 0.9] * 2)
    assert (x == before).all()


def test_an_answer_has_nothing_after_its_end() -> None:
    def ends(x: Any) -> Any:
        return np.tile([[[0.1, 0.7, 0.2], [0.6, 0.2, 0.2], [0.1, 0.9, 0.0]]], (len(x), 1, 1))

    x = predict_translation.encoded([["two"]], WORDS, 7, STEPS)
    ((answer, probability),) = predict_translation.translated(ends, x, WORDS, LABELS, STEPS)
    assert (answer, probability) == ("deux", pytest.approx(0.7 * 0.6))


def test_the_script_prints_a_line_for_each_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keras = pytest.importorskip("keras")
    monkeypatch.setattr(keras.models, "load_model", lambda file, compile: Repeats())
    monkeypatch.setattr(predict_translation, "FOLDER", tmp_path)
    (tmp_path / "params.json").write_text(json.dumps({"labels": LABELS}))
    (tmp_path / "vocabulary.txt").write_text("".join(f"{word}\n" for word in WORDS))
    monkeypatch.setattr("sys.argv", ["predict.py", "two", "ten"])
    assert predict_translation.main() == 0
    assert capsys.readouterr().out == "deux dix\t0.3600\ndix deux\t0.3600\n"
    monkeypatch.setattr("sys.argv", ["predict.py"])
    assert predict_translation.main() == 2
