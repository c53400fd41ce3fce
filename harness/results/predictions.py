"""What a replicate's model predicted: its `predictions.npz`, as arrays. No Keras."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from harness.datasets.base.predictions import Predictions
from harness.results.training_folder import PREDICTIONS


def read_predictions(folder: Path) -> Predictions | None:
    """Those in a replicate's folder.

    None if there are none (runs made before 2026-12, forecasts, replicates whose model is not
    kept), or if the file is damaged.
    """
    try:
        # NumPy leaves a damaged file open that it opens itself.
        with (folder / PREDICTIONS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = Predictions(
                truth=arrays["truth"],
                predicted=arrays["predicted"],
                certainty=arrays["certainty"].astype(np.float32),
                mistakes=arrays["mistakes"].astype(np.int32),
                inputs=tuple(arrays["inputs"].astype(str).tolist()),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    numbers = (found.truth, found.predicted, found.certainty)
    if found.truth.ndim == 0 or not len(found.truth) or found.predicted.shape != found.truth.shape:
        return None
    if found.certainty.size and found.certainty.shape != found.truth.shape:
        return None
    if any(each.dtype.kind not in "iuf" or not np.isfinite(each).all() for each in numbers):
        return None
    if found.certainty.size and not _are_classes(found):
        return None
    if found.mistakes.size and (
        found.truth.ndim > 1
        or not 0 <= found.mistakes.min() <= found.mistakes.max() < len(found.truth)
    ):
        return None
    return found


def _are_classes(found: Predictions) -> bool:
    """Whole numbers from 0; in the truth -1 is padding, but not everywhere."""
    whole = all(each.dtype.kind in "iu" for each in (found.truth, found.predicted))
    return whole and found.truth.min() >= -1 and found.truth.max() >= 0 <= found.predicted.min()
