"""The baselines that no worker trains: linear, majority class, by rule, n-grams. No Keras.

They do not depend on a seed, so all replicates of one are the same. There are as many as an arm
has.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from harness.core import files, spans
from harness.core.metrics import R2, of_answers, scored
from harness.datasets.base import naive
from harness.datasets.base.characters import CharacterTexts
from harness.datasets.base.dataset import Arrays, Split
from harness.datasets.base.forecast import Forecast
from harness.datasets.base.forecast_scores import ForecastScores
from harness.datasets.files.tags import TagFiles
from harness.results.records import (
    FORECASTS,
    LINEAR,
    MAJORITY,
    NEAREST,
    OF_CHARACTERS,
    TOKEN_TAGS,
)
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import read_result, write_result, write_started
from harness.search import character_models, linear_model, nearest_pair, score_files
from harness.search.baselines import is_old, largest
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Study


@dataclass(frozen=True)
class _Scored:
    validated: float
    scores: NDArray[Any]
    forecasts: ForecastScores | None = None
    times: Sequence[Sequence[str]] = ()
    parameters: int = 0
    loss: float | None = None  # on the validation split
    measures: Mapping[str, float | None] = field(default_factory=dict)


def left(study: Study, directory: RunDirectory) -> list[tuple[str, int, int]]:
    """By baseline, search and number, the replicates that are still to be written."""
    names = _names(study, directory)
    searches = range(1, study.independent_searches + 1)
    numbers = range(1, study.replicates + 1)
    return [
        (name, search, number)
        for name, search, number in itertools.product(names, searches, numbers)
        if read_result(directory.replicate(name, number, search)) is None
    ]


def _names(study: Study, directory: RunDirectory) -> tuple[str, ...]:
    if isinstance(study.dataset, Forecast):
        return tuple(FORECASTS)
    if isinstance(study.dataset, TagFiles):
        return (TOKEN_TAGS, MAJORITY)
    if isinstance(study.dataset, CharacterTexts):
        return tuple(OF_CHARACTERS)
    if study.dataset.signature.decodes:
        return (NEAREST,)
    # The verdicts on its baselines are corrected together, so an old study gets no new one.
    without = is_old(directory) or not linear_model.applies_to(study.dataset)
    return (MAJORITY,) if without else (LINEAR, MAJORITY)


def write(study: Study, directory: RunDirectory) -> None:
    """Write the replicates that are still to be written."""
    split = score_files.scored_split(study)
    for name, missing in itertools.groupby(left(study, directory), key=lambda each: each[0]):
        found = _scored(study, name, split)
        for _, search, number in missing:
            folder = directory.replicate(name, number, search)
            record = {
                "arm": name, "search": search, "replicate": number, "trial": None, "params": {},
                "started": files.now(), "finished": files.now(),
            }  # fmt: skip
            write_started(folder, record | {"state": "running"})
            if isinstance(found, str):
                write_result(folder, record | {"state": "failed", "reason": found})
                continue
            written = score_files.write(
                folder, found.scores, None, found.forecasts, found.times, found.measures
            )
            record |= {
                "state": "complete", "val_accuracy": found.validated, "value": found.loss,
                "parameters": found.parameters, "split": split,
            }  # fmt: skip
            write_result(folder, record | written)


def _scored(study: Study, name: str, split: Split) -> _Scored | str:
    """What a baseline reached, or why it failed."""
    if isinstance(study.dataset, Forecast):
        return _forecast(study.dataset, split, name.removeprefix("baseline="))
    if isinstance(study.dataset, CharacterTexts):
        model = character_models.MODELS[name.removeprefix("baseline=")]
        found = model(study.dataset, split)
        return _Scored(found.validated, found.scores, parameters=found.parameters)
    if name == NEAREST:
        return _nearest(study, split)
    if isinstance(study.dataset, TagFiles):
        return _tags(study.dataset, split, of_tokens=name == TOKEN_TAGS)
    return _majority(study, split) if name == MAJORITY else _linear(study, split)


def _linear(study: Study, split: Split) -> _Scored | str:
    """The linear model on the longest sequences and the largest vocabulary of any trial."""
    plain = Hyperparameters()
    size = {"sequence_length": plain.sequence_length, "vocabulary": plain.vocabulary}
    size |= largest(study, *size)
    try:
        found = linear_model.fit(study.dataset, split, **size)
    except ValueError as error:  # scikit-learn refuses data with NaN, or with a single class
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return _Scored(found.validated, found.scores, parameters=found.weights, loss=found.loss)


def _nearest(study: Study, split: Split) -> _Scored:
    """The answer of the most similar training example."""
    plain = Hyperparameters()
    longest = study.dataset.limits()["sequence_length"]
    length = {"sequence_length": longest, "vocabulary": plain.vocabulary}
    train, held_out, asked = (
        cast(Arrays, study.dataset.load(each, **length)) for each in ("train", "validation", split)
    )
    found = nearest_pair.answers(train, asked)
    validated = of_answers(nearest_pair.answers(train, held_out), held_out.y)
    return _Scored(
        validated["token accuracy"],
        scored(found, asked.y, study.dataset.metric),
        measures=of_answers(found, asked.y),
    )


def _majority(study: Study, split: Split) -> _Scored:
    """The training split's most frequent class, or its mean, predicted always."""
    dataset = study.dataset
    length = {"sequence_length": 1, "vocabulary": Hyperparameters().vocabulary}
    trained = dataset.load("train", **length).y
    real = trained[trained >= 0]  # the class of padding is -1
    constant = np.bincount(real).argmax() if dataset.classes else trained.mean()

    def score(split: Split, metric: str) -> NDArray[Any]:
        y = dataset.load(split, **length).y
        return scored(np.full_like(y, constant), y, metric)

    validated = score("validation", dataset.metric if dataset.metric == R2 else "accuracy")
    return _Scored(float(np.mean(validated)), score(split, dataset.metric))


def _tags(dataset: TagFiles, split: Split, *, of_tokens: bool) -> _Scored:
    """The most frequent tag of each token in the training split, or that of all tokens.

    Tokens that the training split does not have get the most frequent tag of all.
    """

    def load(split: Split) -> tuple[NDArray[Any], NDArray[Any]]:
        found = dataset.load(split, **dataset.limits())
        return found.x[:, -dataset.steps :], found.y

    x, y = load("train")
    counts = np.zeros((dataset.limits()["vocabulary"], dataset.classes), np.int64)
    np.add.at(counts, (x[y >= 0], y[y >= 0]), 1)
    tag_of = np.full(len(counts), counts.sum(axis=0).argmax())
    if of_tokens:
        tag_of = np.where(counts.any(axis=1), counts.argmax(axis=1), tag_of)
    x, y = load("validation")
    validated = scored(tag_of[x], y, dataset.metric)
    x, y = load(split)
    measures = spans.measures(dataset.labels, tag_of[x], y)
    scores = scored(tag_of[x], y, dataset.metric)
    return _Scored(float(validated.mean()), scores, measures=measures)


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
