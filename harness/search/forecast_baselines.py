"""The baselines of forecasts, as arms of their own: scored on the same test times."""

import itertools

import numpy as np

from harness.core import files
from harness.datasets.base import naive
from harness.datasets.base.dataset import Split
from harness.datasets.base.forecast import Forecast
from harness.datasets.base.forecast_scores import ForecastScores
from harness.results.records import FORECASTS
from harness.results.run_directory import RunDirectory
from harness.search import folds
from harness.search.replicates import forecast_times, scored_split, write_scores
from harness.spec.study import Study


def write(study: Study, dataset: Forecast, directory: RunDirectory) -> None:
    """Write what is missing of `baseline=last`, `seasonal`, `drift` and `ridge`.

    They do not depend on a seed, so all replicates are the same. There are as many as an arm has.
    """
    split = scored_split(study)
    several = list(
        itertools.product(range(1, study.independent_searches + 1), range(1, study.replicates + 1))
    )
    for name in FORECASTS:
        folders = [directory.replicate(name, number, search) for search, number in several]
        if all((folder / "result.json").exists() for folder in folders):
            continue
        method = name.removeprefix("baseline=")
        parts = [
            _scores(dataset.of_fold(fold), split, method) for fold in range(1, dataset.folds + 1)
        ]
        found = ForecastScores.joined(parts)
        validated = float(_scores(dataset, "validation", method).scores.mean())
        times = [
            row
            for fold in range(1, dataset.folds + 1)
            for row in forecast_times(dataset.of_fold(fold), split)
        ]
        for (search, number), folder in zip(several, folders, strict=True):
            if (folder / "result.json").exists():
                continue
            record = {
                "arm": name, "search": search, "replicate": number, "trial": None, "params": {},
                "state": "complete", "val_accuracy": validated, "parameters": 0,
                "started": files.now(), "finished": files.now(), "split": split,
                "scored_loss": None,
            }  # fmt: skip
            record |= write_scores(folder, found.scores)
            record |= folds.write_forecasts(folder, found, times)
            files.write_atomically(folder / "result.json", files.to_json(record))


def _scores(dataset: Forecast, split: Split, method: str) -> ForecastScores:
    windows = dataset.load(split, sequence_length=dataset.lookback, vocabulary=4)
    forecasts = naive.FORECASTS[method](dataset, split)
    return ForecastScores.of(windows, np.asarray(forecasts, np.float64))
