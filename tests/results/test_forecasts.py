"""Forecasts of a replicate are read whole or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.results.forecasts import Forecasts, read_forecasts
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import FORECAST

GOOD: dict[str, Any] = {
    "times": np.array([["a", "b"], ["b", "c"]]),
    "truth": np.zeros((2, 2, 1), np.float32),
    "forecast": np.ones((2, 2, 1), np.float32),
}


def write(root: Path, **changes: Any) -> Forecasts | None:
    folder = RunDirectory(root).replicate("depth=1", 1, 2)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / FORECAST, **{k: v for k, v in {**GOOD, **changes}.items() if v is not None})
    return read_forecasts(root, "depth=1", 1, 2)


def test_arrays_are_read_as_they_were_written(tmp_path: Path) -> None:
    found = write(tmp_path)
    assert found is not None
    assert found.horizon == 2
    assert found.times.tolist() == [["a", "b"], ["b", "c"]]
    assert (found.truth.dtype, found.forecast.mean()) == (np.float64, 1.0)
    assert read_forecasts(tmp_path, "depth=1", 2, 2) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"truth": None},
        {"truth": np.zeros((2, 2))},
        {"truth": np.zeros((2, 3, 1))},
        {"truth": np.zeros((0, 2, 1)), "forecast": np.zeros((0, 2, 1))},
        {"forecast": np.full((2, 2, 1), np.nan)},
        {"forecast": np.full((2, 2, 1), "x")},
        {"forecast": np.array([[{}]], object)},
        {"times": np.array(["a", "b"])},
    ],
)
def test_odd_arrays_are_none(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert write(tmp_path, **changes) is None


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not an archive"])
def test_a_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    assert write(tmp_path) is not None
    file = RunDirectory(tmp_path).replicate("depth=1", 1, 2) / FORECAST
    file.write_bytes(content or file.read_bytes()[:100])
    assert read_forecasts(tmp_path, "depth=1", 1, 2) is None
