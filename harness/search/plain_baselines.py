"""The baselines that nothing trains: the majority class, and forecasts by a rule. No Keras.

They do not depend on a seed, so all replicates of one are the same. There are as many as an arm
has.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.core import files
from harness.core.metrics import R2, scored
from harness.datasets.base import naive
from harness.datasets.base.dataset import Split
from harness.datasets.base.forecast import Forecast
from harness.datasets.base.forecast_scores import ForecastScores
from harness.results.records import FORECASTS, MAJORITY
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import read_result, write_result, write_started
from harness.search import score_files
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Study


@dataclass(frozen=True)
class _Scored:
    validated: float
    scores: NDArray[Any]
    forecasts: ForecastScores | None = None
    times: Sequence[Sequence[str]] = ()


def left(study: Study, directory: RunDirectory) -> list[tuple[str, int, int]]:
    """By baseline, search and number, the replicates that are still to be written."""
    names = FORECASTS if isinstance(study.dataset, Forecast) else (MAJORITY,)
    searches = range(1, study.independent_searches + 1)
    numbers = range(1, study.replicates + 1)
    return [
        (name, search, number)
        for name, search, number in itertools.product(names, searches, numbers)
        if read_result(directory.replicate(name, number, search)) is None
    ]


def write(study: Study, directory: RunDirectory) -> None:
    """Write the replicates that are still to be written."""
    dataset, split = study.dataset, score_files.scored_split(study)
    for name, missing in itertools.groupby(left(study, directory), key=lambda each: each[0]):
        if isinstance(dataset, Forecast):
            found = _forecast(dataset, split, name.removeprefix("baseline="))
        else:
            found = _majority(study, split)
        for _, search, number in missing:
            folder = directory.replicate(name, number, search)
            record = {
                "arm": name, "search": search, "replicate": number, "trial": None, "params": {},
                "state": "complete", "val_accuracy": found.validated, "parameters": 0,
                "started": files.now(), "finished": files.now(), "split": split,
            }  # fmt: skip
            write_started(folder, record | {"state": "running"})
            written = score_files.write(folder, found.scores, None, found.forecasts, found.times)
            write_result(folder, record | written)


def _majority(study: Study, split: Split) -> _Scored:
    """The training split's most frequent class, or its mean, predicted always."""
    dataset = study.dataset
    length = {"sequence_length": 1, "vocabulary": Hyperparameters().vocabulary}
    trained = dataset.load("train", **length).y
    constant = np.bincount(trained.ravel()).argmax() if dataset.classes else trained.mean()

    def score(split: Split, metric: str) -> NDArray[Any]:
        y = dataset.load(split, **length).y
        return scored(np.full_like(y, constant), y, metric)

    validated = score("validation", dataset.metric if dataset.metric == R2 else "accuracy")
    return _Scored(float(np.mean(validated)), score(split, dataset.metric))


def _forecast(dataset: Forecast, split: Split, method: str) -> _Scored:
    """`last`, `seasonal`, `drift` or `ridge`, on the test times of all folds."""
    folds = [dataset.of_fold(fold) for fold in range(1, dataset.folds + 1)]
    forecasts = ForecastScores.joined([_forecast_scores(fold, split, method) for fold in folds])
    validated = _forecast_scores(dataset, "validation", method).scores.mean()
    times = [row for fold in folds for row in score_files.forecast_times(fold, split)]
    return _Scored(float(validated), forecasts.scores, forecasts, times)


def _forecast_scores(dataset: Forecast, split: Split, method: str) -> ForecastScores:
    windows = dataset.load(split, sequence_length=dataset.lookback, vocabulary=4)
    forecasts = naive.FORECASTS[method](dataset, split)
    return ForecastScores.of(windows, np.asarray(forecasts, np.float64))
