"""The forecasts of a replicate: its `forecast.npz`, as arrays. No Keras."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.results.run_directory import RunDirectory
from harness.results.training_folder import FORECAST

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Forecasts:
    """What was forecast at n test times, in their order, in the unit of the targets.

    `times` (n, horizon) are texts: the time of each step. `truth` and `forecast` have shape
    (n, horizon, targets). Of several series they are those of the first one.
    """

    times: "NDArray[np.str_]"
    truth: "NDArray[np.float64]"
    forecast: "NDArray[np.float64]"

    @property
    def horizon(self) -> int:
        return int(self.truth.shape[1])


def read_forecasts(root: Path, arm: str, number: int, search: int = 1) -> Forecasts | None:
    """Those of a replicate of the study in `root`.

    None if there are none, if the file is damaged, or if a number is not finite.
    """
    file = RunDirectory(root).replicate(arm, number, search) / FORECAST
    try:
        # NumPy leaves a damaged file open that it opens itself.
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            times = arrays["times"].astype(str)
            truth, forecast = (arrays[name].astype(float) for name in ("truth", "forecast"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if truth.ndim != 3 or 0 in truth.shape or forecast.shape != truth.shape:
        return None
    if times.shape != truth.shape[:2] or not np.isfinite([truth, forecast]).all():
        return None
    return Forecasts(times, truth, forecast)
