"""A study's best trained model: which replicate it is, and its files in `best/`."""

import os
import shutil
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis import summary
from harness.core import files
from harness.core.console import without_stderr
from harness.core.errors import UserError, unknown
from harness.results.records import Records, read_records
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import (
    KERAS_MODEL,
    MODEL,
    PARAMS,
    VOCABULARY,
    DamagedError,
    check_evidence,
    read_result,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILES = (KERAS_MODEL, VOCABULARY, PARAMS)


def model_folder(root: Path, arm: str | None) -> Path:
    """The folder of an arm's model, by default the recommended arm's; raises UserError."""
    records = read_records(root)
    chosen = arm or summary.recommended_arm(records)
    if chosen is None:
        raise UserError(f"{root}: no trial has finished yet, so there is no model")
    if chosen not in records.arms:
        raise unknown("arm", chosen, records.arms)
    folder = folder_of(records, chosen)
    missing = [file for file in FILES if not (folder / file).is_file()]
    if missing:
        raise UserError(
            f"{root} has no trained model of {chosen} yet (no {missing[0]}): models come from "
            "replicates; run the study to its end, with --replicates 1 or more"
        )
    try:
        check_evidence(folder, read_result(folder) or {})
    except DamagedError as error:
        raise UserError(
            f"{folder}: {error}; give the study's own command again: it trains the model again, "
            "the same"
        ) from None
    return folder


def folder_of(records: Records, arm: str) -> Path:
    """Where the model of the arm's best trial is: in the search that found it."""
    best = summary.best_trials(records)
    of_arm = best.loc[best["arm"] == arm, "search"]
    search = 1 if of_arm.empty else int(of_arm.iloc[0])
    return RunDirectory(records.root).replicate(arm, 1, search)


def model_card(records: Records, arm: str) -> dict[str, Any] | None:
    """The content of `params.json` beside the arm's trained model; None without a model."""
    folder = folder_of(records, arm)
    return files.read_object(folder / PARAMS) if (folder / KERAS_MODEL).is_file() else None


def check_files(folder: Path) -> dict[str, Any]:
    """The content of `params.json`, where a model's three files can be used; raises UserError.

    Of the model it checks the archive, not the network, which needs Keras.
    """
    params = files.read_object(folder / PARAMS)
    hyperparameters = {} if params is None else params.get("hyperparameters")
    if params is None or not isinstance(hyperparameters, dict):
        raise damaged(folder, PARAMS, "it is not what a study writes")
    try:
        (folder / VOCABULARY).read_bytes().decode("utf-8", "surrogatepass")
    except (OSError, ValueError) as error:
        raise damaged(folder, VOCABULARY, str(error)) from None
    try:
        with zipfile.ZipFile(folder / KERAS_MODEL) as archive:
            broken = archive.testzip()
            missing = {"config.json", "model.weights.h5"} - {*archive.namelist()}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise damaged(folder, KERAS_MODEL, str(error)) from None
    if broken or missing:
        raise damaged(folder, KERAS_MODEL, f"no sound {broken or min(missing)} in it")
    return params


def load_model(folder: Path) -> Any:
    """The Keras model of a folder with `model.keras`; importing Keras takes seconds.

    Raises UserError where it can't be loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with without_stderr():  # the backend looks for devices when the model is made
            import keras

            return keras.models.load_model(folder / KERAS_MODEL, compile=False)
    except Exception as error:  # Keras has no class of errors for this
        raise damaged(folder, KERAS_MODEL, f"{type(error).__name__}: {error}") from None


def outputs_of(model: Any, x: "NDArray[Any]") -> "NDArray[np.float64]":
    """The model's outputs for inputs `x`; the backend's own lines don't reach stderr."""
    import numpy as np

    with without_stderr():
        return np.asarray(model.predict(x, verbose=0), np.float64)


def damaged(folder: Path, name: str, reason: str) -> UserError:
    """The error for a model's file that can't be used, on one line."""
    short = (" ".join(reason.split()) or "no reason given")[:150]
    return UserError(
        f"{folder / name} is damaged ({short}); put a good copy back, or move {folder} away and "
        "give the study's command again, which trains this model again"
    )


def copy_model(source: Path, target: Path) -> None:
    """Copy a model's files; each is written whole or not at all."""
    names = files_of(source)
    for name in names:
        files.write_atomically(target / name, (source / name).read_bytes())
    for name in {*MODEL} - {*names}:  # of another model, copied here before
        (target / name).unlink(missing_ok=True)


def files_of(folder: Path) -> tuple[str, ...]:
    """The names of a model's files; folders of older versions have fewer."""
    return tuple(name for name in MODEL if name in FILES or (folder / name).is_file())


def write_best(directory: RunDirectory) -> None:
    """Copy the recommended arm's model to `best/`, once all replicates are complete."""
    records = read_records(directory.root)
    chosen = summary.confirmed_recommendation(records)
    if chosen is None:
        return
    source = folder_of(records, chosen.arm)
    if all((source / name).is_file() for name in FILES):
        copy_model(source, directory.best)
    else:  # its first replicate failed; another arm's model would be wrong
        shutil.rmtree(directory.best, ignore_errors=True)
