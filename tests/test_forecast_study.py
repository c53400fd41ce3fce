"""A forecast from a table from end to end: the command, its files, predict, export."""

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
from forecast_testing import changed, saved, table

from harness import ForecastFiles
from harness.datasets.base import naive
from harness.datasets.base.forecast_scores import ForecastScores

STUDY = '''
"""Does depth pay?"""
from harness import Budget, FloatDistribution, Imdb, Study
study = Study(dataset=Imdb(), compare={"depth": [1, 2]},
              search={"learning_rate": FloatDistribution(1e-3, 3e-2, log=True)},
              fixed={"cell": "rnn", "units": 3, "sequence_length": 14, "batch_size": 64},
              budget=Budget(trials=1, epochs=2), searches=1, replicates=1)
'''
ASKED = ["--time-column", "date", "--target-column", "units,price", "--horizon", "3",
         "--known-columns", "holiday", "--calendar", "--folds", "2"]  # fmt: skip


def run(folder: Path, *words: str, module: str = "harness.study") -> Any:
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=folder, capture_output=True, text=True, timeout=600,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished study called `shop`, with its table and its outcome."""
    folder = tmp_path_factory.mktemp("forecast")
    (folder / "small.py").write_text(STUDY)
    saved(folder, table(300))
    done = run(folder, "small.py", "--dataset", "sales.csv", *ASKED, "--name", "shop",
               "--no-profile", "--workers", "1", "--json", "-q")  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "outcome.json").write_text(done.stdout)
    return folder


def _dataset(folder: Path) -> ForecastFiles:
    return ForecastFiles.of(
        folder / "sales.csv", time_column="date", targets=("units", "price"), known="holiday",
        horizon=3, calendar=True, folds=2, lookback=14,
    )  # fmt: skip


def test_the_outcome_has_baselines_and_errors_in_the_unit(folder: Path) -> None:
    outcome = json.loads((folder / "outcome.json").read_text())
    assert outcome["study"] == "shop"
    assert {each["baseline"] for each in outcome["baselines"]} == {
        "baseline=last", "baseline=seasonal", "baseline=drift", "baseline=ridge",
    }  # fmt: skip
    for arm in outcome["arms"]:
        assert arm["replicates"]["metric"].startswith("MAE")
    dataset = _dataset(folder)
    for each in outcome["baselines"]:
        method = naive.FORECASTS[each["baseline"].removeprefix("baseline=")]
        scores = []
        for fold in (1, 2):
            of_fold = dataset.of_fold(fold)
            split = of_fold.load("test", sequence_length=14, vocabulary=4)
            scores.append(ForecastScores.of(split, method(of_fold, "test")).scores)
        expected = np.concatenate(scores)
        assert len(expected) == dataset.test
        assert each["replicates"]["mean"] == pytest.approx(expected.mean())


def test_a_replicate_has_its_folds_one_after_another(folder: Path) -> None:
    whole = folder / "runs" / "shop" / "replicates" / "depth=1" / "seed=1"
    record = json.loads((whole / "result.json").read_text())
    parts = [json.loads((whole / f"fold={f}" / "result.json").read_text()) for f in (1, 2)]
    assert "fold" not in record
    scores = np.load(whole / "scores.npy")
    joined = np.concatenate([np.load(whole / f"fold={f}" / "scores.npy") for f in (1, 2)])
    np.testing.assert_array_equal(scores, joined)
    assert record["scored_accuracy"] == pytest.approx(scores.mean())
    assert record["scored_n"] == len(scores) == _dataset(folder).test
    assert record["train_s"] == pytest.approx(sum(part["train_s"] for part in parts))
    assert set(record["measures"]) == {"RMSE", "MASE", "sMAPE"}
    assert not (whole / "fold=1" / "model.keras").exists()
    with np.load(whole / "forecast.npz") as arrays:
        errors = np.abs(arrays["truth"] - arrays["forecast"]).mean(axis=(1, 2))
        np.testing.assert_allclose(errors, scores, rtol=1e-3)
        times = arrays["times"]
        squared = ((arrays["truth"] - arrays["forecast"]) ** 2).mean()
    assert record["measures"]["RMSE"] == pytest.approx(np.sqrt(squared), rel=1e-3)
    assert times[-1].tolist() == table(300)["date"].iloc[-3:].tolist()
    assert (np.diff(times[:, 0].astype("datetime64[D]")) == np.timedelta64(1, "D")).all()
    units = dict(zip(table(300)["date"], table(300)["units"], strict=True))
    with np.load(whole / "forecast.npz") as arrays:
        np.testing.assert_allclose(arrays["truth"][5, 1, 0], units[times[5, 1]], rtol=1e-6)


def test_a_fold_that_is_lost_is_trained_again(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    copy = tmp_path / "copy"
    whole = copy / "runs" / "shop" / "replicates" / "depth=2" / "seed=1"
    before = (whole / "scores.npy").read_bytes()
    for name in ("result.json", "scores.npy", "fold=2/result.json"):
        (whole / name).unlink()
    done = run(copy, "small.py", "--dataset", "sales.csv", *ASKED, "--name", "shop",
               "--no-profile", "--workers", "1")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (whole / "scores.npy").read_bytes() == before
    assert done.stderr.count("replicate 2 starts") == 1
    assert "replicate 1 starts" not in done.stderr


def test_the_manifest_has_the_facts(folder: Path) -> None:
    facts = json.loads((folder / "runs" / "shop" / "manifest.json").read_text())["dataset"]
    dataset = _dataset(folder)
    assert (facts["task"], facts["metric"], facts["unit"]) == ("forecast", "MAE", "units, price")
    assert (facts["horizon"], facts["frequency"], facts["season"]) == (3, "1 day", 7)
    assert (facts["targets"], facts["inputs"]) == (["units", "price"], [])
    assert (facts["test_times"], facts["folds"]) == (dataset.test, 2)
    assert facts["mase_scale"] == pytest.approx(np.mean(dataset.facts()["mase_scale"]))


def _newer(folder: Path) -> Path:
    """Rows that go on for the horizon with what is known in advance."""
    frame = table(330)
    for column in ("units", "price"):
        frame = changed(frame, column, dict.fromkeys(range(327, 330)))
    return saved(folder, frame, "newer.csv")


def test_predict_writes_a_row_a_step_and_target(folder: Path, tmp_path: Path) -> None:
    newer = _newer(folder)
    done = run(folder, "predict", "shop", "--data", newer.name, "-o", str(tmp_path / "out.csv"),
               module="harness")  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert list(rows[0]) == ["date", "target", "forecast"]
    assert [row["date"] for row in rows[::2]] == table(330)["date"].iloc[-3:].tolist()
    assert [row["target"] for row in rows] == ["units", "price"] * 3
    values = [float(row["forecast"]) for row in rows]
    assert 20 < values[0] < 80
    assert 5 < values[1] < 15


def test_the_exported_example_forecasts_the_same_with_stock_keras(
    folder: Path, tmp_path: Path
) -> None:
    newer = _newer(folder)
    exported = run(folder, "export", "shop", "-o", str(tmp_path / "model"), module="harness")
    assert exported.returncode == 0, exported.stderr
    code = (tmp_path / "model" / "forecast.py").read_text()
    assert "harness" not in code
    environment = {n: v for n, v in os.environ.items() if n != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-I", "forecast.py", str(newer.resolve())], cwd=tmp_path / "model",
        capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = [[float(v) for v in line.split(",")] for line in done.stdout.split()[1:]]
    predicted = run(folder, "predict", "shop", "--data", newer.name, module="harness")
    rows = list(csv.DictReader(predicted.stdout.splitlines()))
    expected = np.array([float(row["forecast"]) for row in rows]).reshape(3, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        (table(330), "0 rows follow the last one with a target; 3 are needed, with holiday"),
        (table(9), "9 rows are too few: the model reads the last 14 rows"),
        (table(330).drop(columns="price"), "has no column 'price'"),
        (changed(table(330), "date", {4: "x"}), "row 5: 'x' in column 'date' is not a time"),
    ],
)
def test_a_newer_table_that_does_not_do(folder: Path, frame: Any, complaint: str) -> None:
    saved(folder, frame, "other.csv")
    done = run(folder, "predict", "shop", "--data", "other.csv", module="harness")
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert done.stderr.count("\n") == 1


def test_predict_says_what_goes_with_what(folder: Path) -> None:
    done = run(folder, "predict", "shop", "a text", module="harness")
    assert done.returncode == 2
    assert "give a newer table with --data FILE" in done.stderr
