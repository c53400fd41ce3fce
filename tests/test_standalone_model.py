"""A trained model's folder is used with stock Keras alone, and says what `harness predict` says."""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.analysis.trained_model import check_files
from harness.results.training_folder import MODEL, check_evidence, read_result

pytestmark = pytest.mark.slow

STUDY = '''
"""Does depth pay?"""
from harness import Budget, Imdb, Study
study = Study(dataset=Imdb(), compare={{"depth": [1, 2]}}, search={{}},
              fixed={{"units": 4, "sequence_length": 9, "batch_size": 16, "learning_rate": 0.02,
                     "dropout": 0.2, {options}}},
              budget=Budget(trials=1, epochs=2), searches=1, replicates=1)
'''
OF_TEXTS = """"cell": "lstm", "vocabulary": 60, "embedding_dim": 5, "embedding_dropout": 0.2,
    "pooling": "attention", "mask": True, "bidirectional": True, "residual": True,
    "layer_norm": "output", "recurrent_dropout": 0.1, "units_shape": "pyramid",
    "label_smoothing": 0.1, "class_weight": "balanced" """
OF_NUMBERS = """"cell": "gru", "residual": True, "mask": True, "pooling": "last",
    "bidirectional": True, "layer_norm": "output", "optimizer": "rmsprop",
    "momentum": 0.5, "schedule": "warmup_cosine", "clip_norm": 1.0 """
# The project can't be imported, whatever the environment has.
BLOCKED = """
import runpy, sys
class Blocked:
    def find_spec(self, name, *rest):
        if name.partition(".")[0] in ("harness", "reports", "studies", "regex", "pandas"):
            raise ImportError(name + " is blocked")
sys.meta_path.insert(0, Blocked())
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run(folder: Path, *words: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True, timeout=600
    )


def study(folder: Path, options: str, *words: str) -> None:
    """Run a study called `own` of both depths; the model of depth 2 is then in `model`."""
    (folder / "small.py").write_text(STUDY.format(options=options))
    done = run(folder, "harness.study", "small.py", "--name", "own", "--no-profile",
               "--workers", "1", "-q", *words)  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = run(folder, "harness", "export", "own", "--arm", "depth=2", "-o", "model")
    assert done.returncode == 0, done.stderr


def predict_alone(folder: Path, *words: str) -> Any:
    return alone(folder, "predict.py", *words)


def alone(folder: Path, script: str, *words: str) -> Any:
    """A script of the folder `model` in another process, without this project."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [sys.executable, "-I", "-c", BLOCKED, str(folder / "model" / script), *words],
        cwd=folder, capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study of texts, `words` and labels in Chinese and English."""
    folder = tmp_path_factory.mktemp("texts")
    random = np.random.default_rng(0)
    words = ["good", "bad", "don't", "naïve", "影", "片", "👍🏽", "été", "so", "1990"]
    rows = [" ".join(random.choice(words, random.integers(2, 14))) for _ in range(240)]
    with (folder / "reviews.csv").open("w", newline="") as file:
        lines = [[row, "fine" if row.count("good") > row.count("bad") else "poor"] for row in rows]
        csv.writer(file).writerows([["Review", "label"], *lines])
    vectors = "".join(f"{word} {at} 0.1 0 -0.2 0.3\n" for at, word in enumerate(words[:5]))
    (folder / "vectors.txt").write_text(vectors)
    options = f'{OF_TEXTS}, "pretrained": {str(folder / "vectors.txt")!r}'
    study(folder, options, "--dataset", "reviews.csv", "--text-column", "Review")
    return folder


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a finished study of a number, sequences of different lengths, and new.npz."""
    folder = tmp_path_factory.mktemp("numbers")
    random = np.random.default_rng(0)
    x = random.normal(50, 2, (200, 8, 2))
    y = 1000 + 100 * (x[:, 0, 0] - x[:, 1, 1])
    lengths = random.integers(4, 9, 200)
    np.savez(folder / "own.npz", x=x, y=y, lengths=lengths)
    np.savez(folder / "new.npz", x=x[:40], lengths=lengths[:40])
    study(folder, OF_NUMBERS, "--dataset", "own.npz")
    return folder


TEXTS = ["good good so", "BAD, bad; don't!", "影片 naïve 👍🏽 unknown", "", "été " * 30, "a\nb\tc"]


def test_texts_are_labelled_the_same(texts: Path) -> None:
    by_script = predict_alone(texts, *TEXTS)
    assert by_script.returncode == 0, by_script.stderr
    done = run(texts, "harness", "predict", "own", "--arm", "depth=2", "--json", *TEXTS)
    assert (done.returncode, done.stderr) == (0, "")
    expected = [json.loads(line) for line in done.stdout.splitlines()]
    found = [line.split("\t") for line in by_script.stdout.splitlines()]
    assert [label for label, _ in found] == [each["label"] for each in expected]
    shares = [float(share) for _, share in found]
    np.testing.assert_allclose(shares, [each["probability"] for each in expected], atol=1e-3)
    assert len({round(share, 3) for share in shares}) > 3  # not all the same


def test_a_table_of_texts_is_labelled(texts: Path) -> None:
    with (texts / "new.csv").open("w", newline="") as file:
        rows = [text for text in TEXTS if text]
        csv.writer(file).writerows([["id", "review"], *enumerate(rows)])
    (texts / "new.jsonl").write_text("".join(json.dumps({"Review": row}) + "\n" for row in rows))
    labelled = [line.split("\t") for line in predict_alone(texts, *rows).stdout.splitlines()]
    for name in ("new.csv", "new.jsonl"):
        done = run(texts, "harness", "predict", "own", "--arm", "depth=2", "--data", name)
        assert (done.returncode, done.stderr) == (0, "")
        found = list(csv.DictReader(done.stdout.splitlines()))
        assert list(found[0]) == ["label", "probability of fine", "probability of poor"]
        for row, (label, share) in zip(found, labelled, strict=True):
            assert row["label"] == label
            assert float(row[f"probability of {label}"]) == pytest.approx(float(share), abs=1e-3)


def test_numbers_are_predicted_the_same(numbers: Path) -> None:
    by_script = predict_alone(numbers, "new.npz")
    assert by_script.returncode == 0, by_script.stderr
    done = run(numbers, "harness", "predict", "own", "--arm", "depth=2", "--data", "new.npz")
    assert (done.returncode, done.stderr) == (0, "")
    found, expected = (
        [float(line) for line in out.stdout.splitlines()[1:]] for out in (by_script, done)
    )
    assert len(found) == 40
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    with np.load(numbers / "own.npz") as arrays:  # in the unit of the data
        assert np.corrcoef(found, arrays["y"][:40])[0, 1] > 0.5


@pytest.mark.parametrize("kind", ["texts", "numbers"])
def test_the_folder_explains_itself(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind)
    for words, code in (((), 2), (("--help",), 0)):
        done = predict_alone(folder, *words)
        assert done.returncode == code
        assert "python predict.py" in (done.stderr if code else done.stdout)
        assert not (done.stdout if code else done.stderr)
    page = (folder / "model" / "README.md").read_text()
    names = {file.name for file in (folder / "model").iterdir()}
    assert all(f"| `{name}` |" in page for name in names)
    score = check_files(folder / "model")["scored_accuracy"]
    shown = f"accuracy {100 * score:.1f} %" if kind == "texts" else f"R² {score:.2f}"
    assert shown.replace("-", "−") in page
    assert "depth=2" in page
    assert "keras 3" in page
    assert "backend tensorflow" in page


@pytest.mark.parametrize("kind", ["texts", "numbers"])
def test_the_network_is_trained_again_by_its_script(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = request.getfixturevalue(kind)
    shutil.copytree(folder / "model", tmp_path / "model")
    file = folder / ("reviews.csv" if kind == "texts" else "own.npz")
    done = alone(tmp_path, "train.py", str(file))
    assert done.returncode == 0, done.stderr
    assert "Epoch 2/2" in done.stdout
    import keras

    before = keras.models.load_model(tmp_path / "model" / "model.keras")
    after = keras.models.load_model(tmp_path / "retrained.keras")
    assert [w.shape for w in after.get_weights()] == [w.shape for w in before.get_weights()]
    assert type(after.optimizer).__name__ == ("Adam" if kind == "texts" else "RMSprop")
    # Its place can be taken by the new one.
    shutil.move(tmp_path / "retrained.keras", tmp_path / "model" / "model.keras")
    words = TEXTS if kind == "texts" else [str(folder / "new.npz")]
    done = alone(tmp_path, "predict.py", *words)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    if kind == "texts":
        assert {line.split("\t")[0] for line in lines} <= {"fine", "poor"}
        assert len(lines) == len(TEXTS)
        return
    with np.load(folder / "own.npz") as arrays:
        assert np.corrcoef([*map(float, lines[1:])], arrays["y"][:40])[0, 1] > 0.5


@pytest.mark.parametrize("name", ["predict.py", "train.py", "README.md", "tokenizer.json"])
def test_damage_is_noticed(texts: Path, name: str) -> None:
    source = texts / "runs" / "own" / "replicates" / "depth=2" / "seed=1"
    record = read_result(source)
    assert record is not None
    check_evidence(source, record)
    assert name in record["files"]
    assert {file.name for file in (texts / "model").iterdir()} <= {*MODEL}
    content = (source / name).read_bytes()
    try:
        (source / name).write_bytes(content + b"\n")
        done = run(texts, "harness", "predict", "own", "--arm", "depth=2", "good")
        assert done.returncode == 2
        assert f"{name} has changed" in done.stderr
    finally:
        (source / name).write_bytes(content)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--data", "own.npz", "-o", "no/where/x"], "can't be written"),
        (["--data", "none.npz"], "no such file"),
        (["--data", "small.py"], "save it as .npz"),
        (["--data", "wide.npz"], "x has the shape (3, 4, 5), not (n, length, 2)"),
        (["--data", "flat.npz"], "x[..., None] for one feature"),
        (["-o", "x.csv"], "--encoding go with --data"),
        (["a text"], "its dataset has no texts; give sequences with --data"),
        (["a text", "--data", "new.npz"], "not both"),
        (["--data", "new.npz", "--encoding", "utf-8"], "the model reads numbers"),
    ],
)
def test_what_can_not_be_predicted_is_one_line(
    numbers: Path, words: list[str], complaint: str
) -> None:
    np.savez(numbers / "wide.npz", x=np.zeros((3, 4, 5)))
    np.savez(numbers / "flat.npz", x=np.zeros((3, 4)))
    (numbers / "no").write_text("a file")
    done = run(numbers, "harness", "predict", "own", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1
