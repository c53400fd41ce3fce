"""A study of tags from the command line to the exported model: the network beats each baseline.

The tag of a token depends on its neighbour, so the token itself says nothing.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

STUDY = '''
"""Does depth pay?"""
from harness import Budget, Imdb, Study
study = Study(dataset=Imdb(), compare={"depth": [1]}, search={},
              fixed={"cell": "lstm", "bidirectional": True, "mask": True, "units": 8,
                     "sequence_length": 100, "batch_size": 8, "learning_rate": 0.03,
                     "vocabulary": 60, "embedding_dim": 8},
              budget=Budget(trials=1, epochs=6), searches=1, replicates=1)
'''
WORDS = ("up", "Down", "left", "right", ".")


def tags_of(tokens: list[str]) -> list[str]:
    """A span where the next token is `up` or `Down`."""
    return ["B-X" if after in ("up", "Down") else "O" for after in [*tokens[1:], ""]]


def run(folder: Path, *words: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study called `own`, and its model in `model`."""
    found = tmp_path_factory.mktemp("tags")
    rng = np.random.default_rng(0)
    with (found / "moves.conll").open("w") as file:
        for _ in range(400):
            tokens = rng.choice(WORDS, rng.integers(3, 9)).tolist()
            for token, tag in zip(tokens, tags_of(tokens), strict=True):
                file.write(f"{token}\t{tag}\n")
            file.write("\n")
    (found / "small.py").write_text(STUDY)
    done = run(found, "harness.study", "small.py", "--dataset", "moves.conll", "--name", "own",
               "--no-profile", "--workers", "1", "--json")  # fmt: skip
    (found / "summary.json").write_text(done.stdout)
    assert "data: sequence_length: 9 instead of 100; the data have no more" in done.stderr
    run(found, "harness", "export", "own", "-o", "model")
    return found


def test_the_network_solves_what_the_baselines_can_not(folder: Path) -> None:
    summary = json.loads((folder / "summary.json").read_text())
    replicates = summary["arms"][0]["replicates"]
    assert replicates["metric"] == "accuracy"
    assert replicates["mean"] > 0.97
    baselines = {each["baseline"]: each["replicates"] for each in summary["baselines"]}
    assert set(baselines) == {"baseline=tags", "baseline=majority"}
    assert all(each["mean"] < 0.8 for each in baselines.values())
    if replicates["measures"]:  # with seqeval
        assert replicates["measures"]["span F1"] > 0.95
        assert baselines["baseline=majority"]["measures"] == {"span F1": 0.0}
    page = (folder / "runs" / "own" / "report.html").read_text()
    assert "most frequent tag of each token" in page


def test_tokens_are_tagged_by_the_command_and_by_the_script(folder: Path) -> None:
    texts = ["left up right.", "Down " * 13, "..up"]  # the second is longer than any sentence
    expected = [["left", "up", "right", "."], ["Down"] * 13, [".", ".", "up"]]
    done = run(folder, "harness", "predict", "own", "--json", *texts)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["tokens"] for each in found] == expected
    assert found[0]["tags"] == tags_of(expected[0])
    assert found[2]["tags"] == tags_of(expected[2])
    plain = run(folder, "harness", "predict", "own", *texts).stdout
    assert plain.startswith("left\tB-X\nup\tO\n")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    script = subprocess.run(
        [sys.executable, "-I", str(folder / "model" / "predict.py"), *texts],
        capture_output=True, text=True, timeout=300, env=environment, check=True,
    )  # fmt: skip
    assert script.stdout == plain


def test_a_file_is_tagged(folder: Path) -> None:
    (folder / "new.conll").write_text("left\nup\n\nup\n")
    done = run(folder, "harness", "predict", "own", "--data", "new.conll")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row["sentence"], row["token"], row["tag"]) for row in rows] == [
        ("1", "left", "B-X"), ("1", "up", "O"), ("2", "up", "O"),
    ]  # fmt: skip
