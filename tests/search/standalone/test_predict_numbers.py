"""The script beside a model of numbers reads them as the dataset did, and writes what it says."""

from pathlib import Path

import numpy as np
import pytest

from harness import NumberFiles
from harness.search.standalone import predict_numbers


def sequences(padding: str) -> tuple[np.ndarray, np.ndarray]:
    """Far from zero, of different lengths where they are filled up."""
    random = np.random.default_rng(0)
    x = random.normal(50, 2, (60, 7, 2))
    for row, lost in zip(x, random.integers(0, 5, 60), strict=True):
        if padding and lost:
            row[slice(0, lost) if padding == "front" else slice(7 - lost, None)] = 0
    return x, random.integers(0, 2, (60, 3))


@pytest.mark.parametrize("padding", ["", "front", "end"])
@pytest.mark.parametrize("task", ["classes", "number", "steps"])
@pytest.mark.parametrize("length", [4, 7, 9])
def test_inputs_are_those_of_the_dataset(
    tmp_path: Path, padding: str, task: str, length: int
) -> None:
    x, y = sequences(padding)
    of_task = {"classes": y[:, 0], "number": x[:, 0, 0] + 1.5 * x[:, 1, 1], "steps": y}[task]
    np.savez(tmp_path / "a.npz", x=x, y=of_task)
    dataset = NumberFiles.of(tmp_path / "a.npz", task=task)
    assert dataset.padding == padding
    about = {
        "hyperparameters": {"sequence_length": length},
        "dataset": dataset.to_mapping(),
        "scaling": dataset.scaling(),
    }
    rows = dataset.split()["test"]
    found = predict_numbers.encoded(x[rows], about, task == "steps")
    expected = dataset.load("test", sequence_length=length, vocabulary=4).x
    np.testing.assert_array_equal(found, expected)


def test_rows_of_each_kind_of_output() -> None:
    labels = ["no", "yes"]
    one = np.array([[0.25], [0.75]])
    assert [*predict_numbers.rows(one, {"labels": labels})] == [
        ["label", "probability of no", "probability of yes"],
        ["no", "0.750000", "0.250000"],
        ["yes", "0.250000", "0.750000"],
    ]
    steps = np.array([[[0.1], [0.9]]])
    assert [*predict_numbers.rows(steps, {"labels": labels})] == [
        ["step 1", "step 2"], ["no", "yes"],
    ]  # fmt: skip
    scaling = {"y_mean": [10.0], "y_std": [2.0]}
    assert [*predict_numbers.rows(one, {"labels": [], "scaling": scaling})] == [
        ["number"], ["10.5"], ["11.5"],
    ]  # fmt: skip
