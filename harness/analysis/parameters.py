"""The hyperparameters of a trial, from its row in the records."""

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from harness.core.scalars import as_python, missing
from harness.results.records import Records
from harness.spec.hyperparameters import Hyperparameters

if TYPE_CHECKING:
    import pandas as pd

HYPERPARAMETERS = {field.name for field in fields(Hyperparameters)} - {"own"}


def searched_parameters(trial: "pd.Series[Any]") -> dict[str, Any]:
    """A trial's searched hyperparameters; those that it does not have are left out.

    None is a value like others, where a study has it among its choices.
    """
    return {
        str(column).removeprefix("params_"): as_python(value)
        for column, value in trial.items()
        if str(column).startswith("params_") and (value is None or not missing(value))
    }


def all_parameters(records: Records, trial: "pd.Series[Any]") -> dict[str, Any]:
    """A trial's fixed, compared and searched hyperparameters: all that is needed to train it."""
    manifest = records.manifest
    compared = manifest.arm_values[trial["arm"]]
    found = {**manifest.fixed, **compared, **searched_parameters(trial)}
    # A compared field of the dataset is no hyperparameter; the arm's name has it.
    own = set(found) - set(manifest.declared_dataset) if manifest.spec.get("model") else set()
    return {name: value for name, value in found.items() if name in HYPERPARAMETERS | own}
