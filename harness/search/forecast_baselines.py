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
from harness.results.training_folder import read_result, write_result, write_started
from harness.search import folds
from harness.search.replicates import forecast_times, scored_split, write_scores
from harness.spec.study import Study


def left(study: Study, directory: RunDirectory) -> list[tuple[str, int, int]]:
    """By baseline, search and number, the replicates that are still to be written."""
    searches = range(1, study.independent_searches + 1)
    return [
        (name, search, number)
        for name, search, number in itertools.product(
            FORECASTS, searches, range(1, study.replicates + 1)
        )
        if read_result(directory.replicate(name, number, search)) is None
    ]


def write(study: Study, dataset: Forecast, directory: RunDirectory) -> None:
    """Write what is missing of `baseline=last`, `seasonal`, `drift` and `ridge`.

    They do not depend on a seed, so all replicates are the same. There are as many as an arm has.
    """
    split = scored_split(study)
    for name, missing in itertools.groupby(left(study, directory), key=lambda each: each[0]):
        method = name.removeprefix("baseline=")
        all_folds = [dataset.of_fold(fold) for fold in range(1, dataset.folds + 1)]
        found = ForecastScores.joined([_scores(fold, split, method) for fold in all_folds])
        validated = float(_scores(dataset, "validation", method).scores.mean())
        times = [row for fold in all_folds for row in forecast_times(fold, split)]
        for _, search, number in missing:
            folder = directory.replicate(name, number, search)
            record = {
                "arm": name, "search": search, "replicate": number, "trial": None, "params": {},
                "state": "complete", "val_accuracy": validated, "parameters": 0,
                "started": files.now(), "finished": files.now(), "split": split,
                "scored_loss": None,
            }  # fmt: skip
            write_started(folder, record | {"state": "running"})
            written = write_scores(folder, found.scores)
            written |= folds.write_forecasts(folder, found, times)
            write_result(folder, record | written)


def _scores(dataset: Forecast, split: Split, method: str) -> ForecastScores:
    windows = dataset.load(split, sequence_length=dataset.lookback, vocabulary=4)
    forecasts = naive.FORECASTS[method](dataset, split)
    return ForecastScores.of(windows, np.asarray(forecasts, np.float64))
