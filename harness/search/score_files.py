"""The files of a scored training: `scores.npy`, `forecast.npz`, `predictions.npz`. No Keras."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core import files
from harness.datasets.base.dataset import Dataset, Split
from harness.datasets.base.forecast import Forecast
from harness.datasets.base.forecast_scores import ForecastScores
from harness.datasets.base.frequency import shown
from harness.datasets.base.predictions import Predictions
from harness.results.training_folder import FORECAST, PREDICTIONS, SCORES
from harness.spec.study import Study

_ERRORS = ("squared", "scaled", "relative")


def scored_split(study: Study) -> Split:
    """The split that replicates are scored on."""
    return "test" if study.dataset.test else "validation"


def forecast_times(dataset: Dataset, split: Split) -> list[list[str]]:
    """The times of the steps that a split forecasts; empty for other tasks."""
    if not isinstance(dataset, Forecast):
        return []
    times = dataset.times(split)
    flat = shown(times)
    width = times.shape[1]
    return [flat[first : first + width] for first in range(0, len(flat), width)]


def write(
    folder: Path,
    scores: NDArray[np.generic],
    loss: float | None,
    forecasts: ForecastScores | None = None,
    times: Sequence[Sequence[str]] = (),
    measures: Mapping[str, float | None] | None = None,
) -> dict[str, Any]:
    """Write the scores (examples,), and forecasts with their `times`; `measures` go on record.

    Returns the fields of the result file about them, other `measures` among them; `loss` is the
    mean over the same examples.
    """
    buffer = io.BytesIO()
    np.save(buffer, scores, allow_pickle=False)
    files.write_atomically(folder / SCORES, buffer.getvalue())
    return {
        "scored_loss": loss,
        "scored_accuracy": float(np.asarray(scores, np.float64).mean()),
        "scored_n": len(scores),
        **({"measures": dict(measures)} if measures else {}),
        **({} if forecasts is None else _write_forecasts(folder, forecasts, times)),
    }


def write_predictions(folder: Path, predictions: Predictions) -> None:
    """Write `predictions.npz`: the fields of `Predictions`, as arrays."""
    names = ("truth", "predicted", "certainty", "mistakes")
    arrays: dict[str, Any] = {name: getattr(predictions, name) for name in names}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays, inputs=np.array(predictions.inputs, np.str_))
    files.write_atomically(folder / PREDICTIONS, buffer.getvalue())


def _write_forecasts(
    folder: Path, forecasts: ForecastScores, times: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Write `forecast.npz`.

    It has `times` (n, horizon), texts; `truth` and `forecast` float32 (n, horizon, targets) in the
    unit, of the first series of a panel; and errors (n,) besides the absolute ones of scores.npy.
    """
    arrays: dict[str, Any] = {name: getattr(forecasts, name) for name in _ERRORS}
    arrays |= {"truth": forecasts.truth, "forecast": forecasts.forecast, "times": np.array(times)}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    files.write_atomically(folder / FORECAST, buffer.getvalue())
    return {"measures": forecasts.measures()}


def read_forecasts(folders: Sequence[Path]) -> tuple[ForecastScores, Any]:
    """The forecasts of several trainings as one, and their times (n, horizon)."""
    parts, times = [], []
    for folder in folders:
        with np.load(folder / FORECAST, allow_pickle=False) as arrays:
            names = (*_ERRORS, "truth", "forecast")
            kept = {name: arrays[name] for name in names}
            times.append(arrays["times"])
        scores = np.load(folder / SCORES, allow_pickle=False)
        parts.append(ForecastScores(scores=scores, **kept))
    return ForecastScores.joined(parts), np.concatenate(times)
