"""What the command line of a study makes of the declared study. No Keras."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    IntDistribution,
    distribution_to_json,
)

from harness import datasets
from harness.core.errors import UserError
from harness.core.text import seconds
from harness.datasets.base.dataset import Dataset
from harness.datasets.base.forecast import Forecast
from harness.profile.backend_choice import check_installed
from harness.search import database
from harness.spec.choices import AUTO
from harness.spec.conditions import Declared, in_distribution, to_mapping
from harness.spec.hyperparameters import OF_TOKENS
from harness.spec.study import Study
from harness.study.options import (
    OF_ANY_FORECAST,
    OF_ARRAYS,
    OF_BUDGET,
    OF_FORECASTS,
    OF_TABLES,
    OVERRIDES,
    Options,
)
from reports.wording import distribution_text

_OWN_FILES = "harness.datasets.files."


def command(options: Options) -> str:
    """The command that resumes the study: the options it began with, except those that may vary."""
    words = ["python", "-m", "harness.study", options.name]
    for name, value in options.to_resume().items():
        if name == "dataset" and datasets.is_path(value):
            value = Path(value).absolute()  # so that any directory can be the current one
        for each in value if isinstance(value, list | tuple) else [value]:
            words.append(_flag(name))
            if each is not True:
                # The command is shown to others: without a password.
                words.append(database.shown(each) if name == "storage" else str(each))
    return shlex.join(words)


def _flag(name: str) -> str:
    return "--name" if name == "run_name" else f"--{name.replace('_', '-')}"


def apply(options: Options, study: Study) -> Study:
    """The study with the command line's options applied, `--quick` before the others."""
    own = options.given(OF_TABLES) | options.given(OF_ARRAYS)
    forecasts = options.given(OF_FORECASTS)
    if options.dataset is not None and datasets.is_path(options.dataset):
        study = on(study, _of_file(options, options.dataset))
    elif own:
        raise UserError(
            f"{_flag(next(iter(own)))} goes with a file of yours: --dataset reviews.csv"
        )
    else:
        if options.dataset is not None:
            study = on(study, datasets.by_name(options.dataset))
        if forecasts:
            study = _other_forecast(options, study, forecasts)
    if options.data_dir is not None:
        if not hasattr(study.dataset, "data_dir"):
            raise UserError(
                f"--data-dir: dataset {study.dataset.name} takes none; "
                "it goes with --dataset imdb-keras"
            )
        located: Any = {"data_dir": str(options.data_dir.absolute())}
        study = replace(study, dataset=replace(study.dataset, **located))
    if options.quick:
        study = study.quick()
    given = options.given(OF_BUDGET)
    declared = study.budget.trial_epochs
    if declared is not None and "epochs" in given and "trial_epochs" not in given:
        given["trial_epochs"] = max(1, min(declared, given["epochs"]))
    budget = replace(study.budget, **given)
    study = replace(study, budget=budget, **options.given(OVERRIDES))
    if study.backend != AUTO:
        check_installed(study.backend)
    return study


def on(study: Study, dataset: Dataset) -> Study:
    """The study on another dataset, its sequence lengths and vocabulary cut to what that has.

    Hyperparameters of tokens are left out where the dataset has numbers. Raises UserError where the
    study compares a field that the dataset does not have.
    """
    for name in sorted(study.of_dataset):
        if not hasattr(dataset, name):
            raise UserError(
                f"--dataset {dataset.name}: the study compares {name}, which it does not have; "
                "choose a study that compares other things, or leave --dataset out"
            )
    if dataset.features:
        study = replace(
            study,
            fixed={name: v for name, v in study.fixed.items() if name not in OF_TOKENS},
            search={name: d for name, d in study.search.items() if name not in OF_TOKENS},
        )
    fixed, compare, search = dict(study.fixed), dict(study.compare), dict(study.search)
    for name, most in dataset.limits().items():
        least = _least(name, dataset)
        if name in fixed:
            fixed[name] = max(least, min(fixed[name], most))
        if name in compare:
            values = list(dict.fromkeys(max(least, min(v, most)) for v in compare[name]))
            if len(values) < 2 <= len(compare[name]):
                raise UserError(
                    f"--dataset {dataset.name}: the study compares {name}, but the data have no "
                    f"more than {most:,}, so all arms would be alike; choose another study"
                )
            compare[name] = values
        if name in search:
            search[name] = _within(search[name], most, least)
    return replace(study, dataset=dataset, fixed=fixed, compare=compare, search=search)


def fitted(study: Study, began: Mapping[str, Any]) -> Study:
    """The study with its searched sequence lengths and vocabularies cut to what its data have.

    That is for a user's own files, which a study file names; what it fixes or compares stays.
    `began` has the distributions on record, as Optuna's JSON: what was not cut then stays, too.
    """
    dataset, search, declared = study.dataset, dict(study.search), to_mapping(study.space)
    if isinstance(dataset, Forecast) or not type(dataset).__module__.startswith(_OWN_FILES):
        return study
    for name in ("sequence_length", "vocabulary"):
        if name in declared and began.get(name) != declared[name]:
            most = dataset.limits().get(name, sys.maxsize)
            search[name] = _within(search[name], most, _least(name, dataset))
    return study if search == dict(study.search) else replace(study, search=search)


def _least(name: str, dataset: Dataset) -> int:
    """The fewest steps that a network needs to have an output for each tag."""
    return dataset.steps if dataset.ragged and name == "sequence_length" else 0


def _within(declared: Declared, most: int, least: int = 0) -> Declared:
    return in_distribution(declared, lambda distribution: _cut(distribution, most, least))


def _cut(distribution: BaseDistribution, most: int, least: int) -> BaseDistribution:
    if isinstance(distribution, CategoricalDistribution):
        choices: Any = distribution.choices
        values = [max(least, min(value, most)) for value in choices]
        return CategoricalDistribution(list(dict.fromkeys(values)))
    assert isinstance(distribution, IntDistribution)
    low, high = (max(least, min(end, most)) for end in (distribution.low, distribution.high))
    high -= (high - low) % distribution.step
    return IntDistribution(low, high, log=distribution.log, step=distribution.step)


def narrowed(declared: Study, study: Study) -> list[str]:
    """What `on` has cut to what the data have, in words."""
    lines = []
    for group in ("fixed", "compare", "search"):
        before, after = _group(declared, group), _group(study, group)
        for name in ("sequence_length", "vocabulary"):
            if name in before and name in after and before[name] != after[name]:
                was, now = _in_words(before[name]), _in_words(after[name])
                lines.append(f"{name}: {now} instead of {was}; {_why(study)}")
    return lines


def _group(study: Study, group: str) -> Mapping[str, Any]:
    return study.space if group == "search" else getattr(study, group)


def _why(study: Study) -> str:
    if isinstance(study.dataset, Forecast):
        return "longer windows leave too few of the rows"
    if study.dataset.ragged:
        return "the data have no more, and each token needs an output"
    return "the data have no more"


def _in_words(values: Any) -> str:
    if isinstance(values, BaseDistribution):
        return distribution_text(json.loads(distribution_to_json(values)))
    listed = values if isinstance(values, list | tuple) else [values]
    return ", ".join(f"{value:,}" for value in listed)


def _other_forecast(options: Options, study: Study, given: dict[str, Any]) -> Study:
    """The study with another horizon, season, calendar or folds of its own forecast."""
    others = [name for name in given if name not in options.given(OF_ANY_FORECAST)]
    if others or not isinstance(study.dataset, Forecast):
        raise UserError(
            f"{_flag([*others, *given][0])} goes with a table over time: --dataset sales.csv "
            "--time-column date --target-column units"
        )
    return replace(study, dataset=study.dataset.with_changes(**given))


def _of_file(options: Options, path: str) -> Dataset:
    """The dataset of the user's file or folder."""
    forecasts = options.given(OF_FORECASTS)
    if forecasts:
        return _of_table_over_time(options, path, forecasts)
    of_tables, of_arrays = options.given(OF_TABLES), options.given(OF_ARRAYS)
    if Path(path).suffix.lower() in (".npz", ".npy"):
        from harness.datasets.files.sequences import NumberFiles

        if of_tables:
            option = _flag(next(iter(of_tables)))
            raise UserError(f"{option}: goes with a table of texts, not with {path}")
        return NumberFiles.of(path, **of_arrays)
    if _has_tags(options, Path(path)):
        return _of_tags(path, of_tables)
    if columns := _of_sequences(Path(path), of_tables):
        from harness.datasets.files.sequences import NumberFiles

        return NumberFiles.of(path, **of_arrays, **columns)
    if Path(path).suffix.lower() == ".txt" and not Path(path).is_dir():
        from harness.datasets.files.characters import CharacterFiles

        encoding = of_tables.pop("encoding", None)
        for option in [*of_tables, *of_arrays]:
            raise UserError(
                f"{_flag(option)}: does not go with {path}, a plain text whose next character is "
                "predicted; texts with labels are in a table or in folders"
            )
        return CharacterFiles.of(path, encoding=encoding)
    from harness.datasets.files.texts import TextFiles

    if of_arrays.get("task") not in (None, "classes"):
        raise UserError(
            f"--task {options.task}: texts have classes; numbers are predicted from sequences of "
            "numbers, an .npz file or lists in JSON Lines"
        )
    return TextFiles.of(path, **of_tables)


def _has_tags(options: Options, path: Path) -> bool:
    """Whether a file's tokens have tags: by the option, its kind, or the names of its columns."""
    from harness.datasets.files import tagged

    if options.task is not None or path.suffix.lower() in tagged.CONLL:
        return options.task == "tags" or tagged.is_conll(path)
    named = options.text_column or options.label_column
    return not named and os.path.isfile(path) and tagged.has_columns(path)


def _of_tags(path: str, given: Mapping[str, Any]) -> Dataset:
    from harness.datasets.files.tags import TagFiles

    if "tokenizer" in given:
        raise UserError("--tokenizer: goes with texts; sentences with tags have tokens already")
    names = {"text_column": "tokens_column", "label_column": "tags_column", "encoding": "encoding"}
    return TagFiles.of(path, **{names[name]: value for name, value in given.items()})


def _of_sequences(path: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of JSON Lines whose examples are lists of numbers; empty for other files."""
    from harness.datasets.files import json_sequences

    if path.suffix.lower() not in json_sequences.SUFFIXES:
        return {}
    row = json_sequences.first_row(path)
    x_column = given.get("text_column") or ("x" if "text" not in row else "text")
    if not json_sequences.is_sequence(row.get(x_column)):
        return {}
    if others := [name for name in given if name not in ("text_column", "label_column")]:
        raise UserError(f"{_flag(others[0])}: goes with texts, not with numbers as in {path}")
    usual = "label" if "y" not in row and "label" in row else "y"
    return {"x_column": x_column, "y_column": given.get("label_column") or usual}


def _of_table_over_time(options: Options, path: str, given: dict[str, Any]) -> Dataset:
    """The dataset of a forecast from the user's table."""
    texts = {**options.given(OF_TABLES), **options.given(OF_ARRAYS)}
    encoding = texts.pop("encoding", None)
    if texts:
        raise UserError(
            f"{_flag(next(iter(texts)))}: goes with texts or classes, {_flag(next(iter(given)))} "
            "with a table over time; leave one of them out"
        )
    if Path(path).suffix.lower() in (".npz", ".npy"):
        raise UserError(
            f"{_flag(next(iter(given)))}: goes with a table over time (CSV, TSV, JSON Lines, "
            f"Parquet), not with {path}"
        )
    for needed, example in (("time_column", "date"), ("target_column", "units")):
        if needed not in given:
            raise UserError(
                f"{_flag(needed)} is missing: a forecast from a table needs it, for example "
                f"{_flag(needed)} {example}"
            )
    from harness.datasets.files.forecasts import ForecastFiles, split_names

    choices = dict(given)
    targets = split_names(choices.pop("target_column"))
    inputs = choices.pop("input_columns", None)
    if inputs is not None:
        choices["inputs"] = () if list(inputs) == ["none"] else split_names(inputs)
    choices["known"] = split_names(choices.pop("known_columns", None))
    time_column = choices.pop("time_column")
    return ForecastFiles.of(
        path, time_column=time_column, targets=targets, encoding=encoding, **choices
    )


def check_limits(options: Options) -> None:
    """Raise UserError for values that are out of range or do not go together."""
    if options.workers is not None and options.workers < 1:
        raise UserError(f"--workers {options.workers}: at least one is needed")
    if options.time is not None:
        try:
            seconds(options.time)
        except ValueError:
            raise UserError(f"--time {options.time}: write for example 90m, 2h or 1h30m") from None
    if options.max_searches < 2:
        raise UserError(f"--max-searches {options.max_searches}: verdicts need two or more")
    if options.gpus_per_trial is not None and options.ray is None:
        raise UserError("--gpus-per-trial goes with --ray; workers on this machine get one each")
    if options.gpus_per_trial is not None and not 0 <= options.gpus_per_trial <= 64:
        raise UserError(
            f"--gpus-per-trial {options.gpus_per_trial:g}: from 0 to 64, for example 0.1"
        )
    if options.gpus_per_trial and options.device == "cpu":
        raise UserError("--gpus-per-trial: goes with --device gpu or auto, not with --device cpu")
    if options.gpus_per_trial == 0 and options.device == "gpu":
        raise UserError("--gpus-per-trial 0: --device gpu needs a share of a GPU, for example 0.1")
    if options.ray is not None and find_spec("ray") is None:
        raise UserError("--ray needs Ray; pip install ray")
    if options.trial_timeout is not None and not options.trial_timeout > 0:
        raise UserError(f"--trial-timeout {options.trial_timeout:g}: needs a time above 0 seconds")
