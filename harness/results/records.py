"""Records: what a study has on file, read from its run directory as tables.

Reports read nothing else. So a directory that was copied from another machine, or whose study is
still running, reads the same. No Keras, no Optuna.
"""

import contextlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import UserError, shortened
from harness.core.metrics import R2, Metric, metric_of, validation_metric_of
from harness.core.text import counted, escape_surrogates
from harness.results.manifest import Manifest
from harness.results.profile_file import read_profile
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import DamagedError, read_epochs, read_training
from harness.spec.values import hashable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_OUTCOME_COLUMNS = {
    "value": "float64",
    "val_accuracy": "float64",
    "best_epoch": "Int64",
    "parameters": "Int64",
    "step_ms": "float64",
    "train_s": "float64",
    "path": "str",
    "worker": "str",
    "seed": "Int64",
    "reason": "str",
    "started": "str",
    "finished": "str",
}
TRIAL_COLUMNS = {
    "arm": "str",
    "search": "Int64",
    "trial": "Int64",
    "state": "str",
    **_OUTCOME_COLUMNS,
}
# One row per replicate, numbered within its search; arms share both numbers. `scored_accuracy`
# (0 to 1) is measured on the `scored_n` examples of `split`: test, or validation without a test
# split.
REPLICATE_COLUMNS = {
    "arm": "str",
    "search": "Int64",
    "replicate": "Int64",
    "trial": "Int64",
    "state": "str",
    "split": "str",
    "scored_accuracy": "float64",
    "scored_loss": "float64",
    "scored_n": "Int64",
    **_OUTCOME_COLUMNS,
}
# Baselines have replicates, too: in folders of these names, beside the arms' folders.
MAJORITY, BAG_OF_EMBEDDINGS = "baseline=majority", "baseline=bag"
LINEAR, TOKEN_TAGS = "baseline=linear", "baseline=tags"
# Those of forecasts, in the order in which they are listed.
FORECASTS = {
    "baseline=last": "last value",
    "baseline=seasonal": "seasonal naive",
    "baseline=drift": "drift",
    "baseline=ridge": "ridge autoregression",
}
# Those of streams of characters.
OF_CHARACTERS = {"baseline=ngram": "n-gram model", "baseline=lzma": "compression (LZMA)"}
NEAREST = "baseline=nearest"  # that of translations
BASELINES = {
    BAG_OF_EMBEDDINGS: "bag of embeddings",
    LINEAR: "linear model",
    TOKEN_TAGS: "most frequent tag of each token",
    MAJORITY: "majority class",
    **FORECASTS,
    **OF_CHARACTERS,
    NEAREST: "nearest training pair",
}
LEARNING = (BAG_OF_EMBEDDINGS, LINEAR)  # baselines that should reach more than the majority class

EPOCH_COLUMNS = {
    "arm": "str",
    "search": "Int64",
    "trial": "Int64",
    "epoch": "Int64",
    "loss": "float64",
    "accuracy": "float64",
    "val_loss": "float64",
    "val_accuracy": "float64",
    "train_s": "float64",
    "validation_s": "float64",
    "compile_s": "float64",
    "step_ms": "float64",
}


ENDS = ("complete", "pruned", "failed")  # states of a training that has ended
MEASURE = "measure_"  # columns of a forecast's other errors begin so: measure_RMSE

MISSING = object()  # a hyperparameter that a trial does not have

_OLD_NAMES = {
    "scored_accuracy": "test_accuracy",
    "scored_loss": "test_loss",
    "scored_n": "test_n",
}


@dataclass(frozen=True, eq=False)  # equal by identity: conclusions are cached by it
class Records:
    """What a study has on file.

    - `trials`: TRIAL_COLUMNS, then a column `params_NAME` for each searched hyperparameter. `state`
      is complete, pruned, failed or running; `reason` says why a trial failed. `value` is the
      validation loss of the best epoch (of a pruned trial: the best so far), `val_accuracy` (0 to
      1) the accuracy of the same epoch. `step_ms` is milliseconds per optimizer step, `train_s`
      seconds of training, validation and compiling. `worker` is the last one that trained it;
      directories made before 2026-12 do not say.
    - `epochs`: EPOCH_COLUMNS; epochs count from 1.
    - `replicates`: REPLICATE_COLUMNS, and for forecasts a column `measure_NAME` for each error
      beside the MAE, which stands where others have accuracies. `replicate_epochs`: the columns of
      `epochs`, with `replicate` in place of `trial`. Both include the baselines, under their names
      in BASELINES.
    - `profile`: profile.json; None if it is missing or damaged. `other_profiles` are those of
      other machines.
    """

    root: Path
    manifest: Manifest
    trials: "pd.DataFrame"
    epochs: "pd.DataFrame"
    replicates: "pd.DataFrame"
    replicate_epochs: "pd.DataFrame"
    profile: dict[str, Any] | None = None
    other_profiles: tuple[dict[str, Any], ...] = ()

    @property
    def study(self) -> str:
        return self.manifest.study

    @property
    def arms(self) -> list[str]:
        return list(self.manifest.arm_values)

    @property
    def finished(self) -> bool:
        """Whether every arm has the trials and the replicates that the study asks for."""
        return self.searched and not self.replicates_missing

    @property
    def searched(self) -> bool:
        """Whether every search of every arm has the trials that the study asks for."""
        done = self.trials[self.trials["state"] != "running"].groupby(["arm", "search"]).size()
        wanted = self.manifest.trials  # 0 only where the manifest is damaged
        return wanted > 0 and all(done.get(each, 0) >= wanted for each in self.arm_searches)

    @property
    def arm_searches(self) -> list[tuple[str, int]]:
        """Every search of every arm: the arm's name and the search's number, from 1."""
        return [
            (arm, search)
            for arm in self.arms
            for search in range(1, self.manifest.searches_of(arm) + 1)
        ]

    @property
    def scored_split(self) -> str:
        """The split that replicates are scored on: test, or validation without one."""
        return "test" if self.manifest.declared_dataset.get("test") else "validation"

    @property
    def metric(self) -> Metric:
        """The metric of replicates: accuracy, balanced accuracy, R², MAE of forecasts, or bits."""
        return metric_of(self.manifest.dataset)

    @property
    def validation_metric(self) -> Metric:
        """The metric of epochs and trials: the same, but accuracy is never balanced."""
        return validation_metric_of(self.manifest.dataset)

    @property
    def horizon(self) -> int | None:
        """How many steps are forecast, so that examples are times; None for other tasks."""
        horizon = self.manifest.dataset.get("horizon")
        return max(1, horizon) if isinstance(horizon, int) else None

    @property
    def baselines(self) -> dict[str, str]:
        """The display name of each baseline."""
        names = dict(BASELINES)
        if self.manifest.dataset.get("features"):
            names[BAG_OF_EMBEDDINGS] = "bag of time steps"
        else:
            names[LINEAR] = (
                f"TF-IDF + {'ridge' if self.metric.name == R2 else 'logistic'} regression"
            )
        if self.metric.name == R2:
            names[MAJORITY] = "training mean"
        if self.manifest.dataset.get("name") == "tag-files":
            names[MAJORITY] = "most frequent tag"
        return names

    @property
    def trained(self) -> dict[str, int]:
        """By arm and baseline, how many replicates have ended; without those that have none."""
        ended = self.replicates[self.replicates["state"] != "running"]
        return {str(name): int(n) for name, n in ended.groupby("arm").size().items()}

    @property
    def lost(self) -> dict[str, int]:
        """By arm and baseline, how many replicates are gone that were there at the last end."""
        there = self.trained
        before = self.manifest.trained
        return {
            name: n - there.get(name, 0) for name, n in before.items() if n > there.get(name, 0)
        }

    @property
    def replicates_missing(self) -> int:
        """How many replicates are still missing, in searches that have a complete trial."""
        keys = ["arm", "search"]
        done = self.replicates[self.replicates["state"] != "running"].groupby(keys).size()
        complete = self.trials[self.trials["state"] == "complete"].groupby(keys).size()
        return sum(
            max(0, self.manifest.replicates_of(each[0]) - int(done.get(each, 0)))
            for each in self.arm_searches
            if each in complete.index
        )

    def scores(self, arm: str) -> dict[tuple[int, int], "NDArray[np.generic]"]:
        """By search and replicate, ascending: the scores of its examples, shape (examples,).

        The mean of a replicate's scores is its metric. Replicates that failed, or whose file is
        missing, damaged or too short, are left out.
        """
        import numpy as np

        ours = self.replicates[
            (self.replicates["arm"] == arm) & (self.replicates["state"] == "complete")
        ]
        found = {}
        keys = ["search", "replicate"]
        counted = ours[[*keys, "scored_n"]].dropna().sort_values(keys)
        for search, number, examples in counted.astype(int).to_numpy().tolist():
            file = RunDirectory(self.root).replicate(arm, number, search) / "scores.npy"
            with contextlib.suppress(OSError, ValueError, EOFError):
                scores = np.load(file, allow_pickle=False)
                if scores.shape == (examples,):
                    found[search, number] = scores
        return found


def read_records(root: Path) -> Records:
    """Read a run directory.

    Raises UserError where it holds no study, and where files of a training are lost or damaged:
    without them the answer would be another one.
    """
    directory = RunDirectory(root)
    manifest = directory.read_manifest()
    trials, replicates = _Trainings(), _Trainings()
    for search in range(1, manifest.searches + 1):
        for arm in manifest.arm_values:
            trials.read(directory.trials(arm, search), "trial", {"arm": arm, "search": search})
        for name in (*manifest.arm_values, *BASELINES):
            folder = directory.replicates(name, search)
            replicates.read(folder, "replicate", {"arm": name, "search": search})
    damaged = [*trials.damaged, *replicates.damaged]
    records = Records(
        root=root,
        manifest=manifest,
        trials=_frame(trials.rows, TRIAL_COLUMNS),
        epochs=_frame(trials.epochs, EPOCH_COLUMNS),
        replicates=_frame(replicates.rows, REPLICATE_COLUMNS),
        replicate_epochs=_frame(
            replicates.epochs,
            {"replicate" if name == "trial" else name: k for name, k in EPOCH_COLUMNS.items()},
        ),
        profile=read_profile(directory.profile),
    )
    if not damaged:
        damaged = [f"{root}: {_told(records.lost)}"] if records.lost else []
    if not damaged and manifest.finished and not records.finished:
        damaged = [f"{root}: trainings that had finished are missing"]
    if damaged:
        more = f", and {len(damaged) - 1} more like it" if len(damaged) > 1 else ""
        command = manifest.command or "python -m harness.study NAME"
        raise UserError(
            f"{damaged[0]}{more}; put a good copy back, or give the study's own command again: it "
            f"writes trials again from the database, and trains the rest again: "
            f"{shortened(command)}"
        )
    return records


def _told(lost: Mapping[str, int]) -> str:
    """Which replicates are gone, in words."""
    name, number = next(iter(lost.items()))
    more = f", and some of {len(lost) - 1} more" if len(lost) > 1 else ""
    have = "has" if number == 1 else "have"
    return f"{counted(number, 'replicate')} of {name}{more}, which {have} ended, cannot be found"


class _Trainings:
    """Rows of trainings and of their epochs, and what is wrong with their files."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.epochs: list[dict[str, Any]] = []
        self.damaged: list[str] = []

    def read(self, parent: Path, kind: str, of: Mapping[str, Any]) -> None:
        """Add the trainings in a folder, sorted by number; `of` has their arm and search."""
        found = numbered(parent, kind)
        if kind == "trial":
            # Those that have begun are numbered without gaps.
            found = {number: each for number, each in found.items() if _has_begun(each)}
            for missing in sorted(set(range(max(found, default=0))) - set(found)):
                self.damaged.append(f"{parent / f'{missing:04d}'} is missing")
        for number, folder in sorted(found.items()):
            try:
                record = read_training(folder)
            except DamagedError as error:
                self.damaged.append(f"{folder}: {error}")
                continue
            self.rows.append({"state": "running", **_row(record or {}), **of, kind: number})
            self.epochs += [{**epoch, **of, kind: number} for epoch in read_epochs(folder)]


def numbered(parent: Path, kind: str) -> dict[int, Path]:
    """The folders of the trials, or replicates, in a folder, by number."""
    pattern = r"(\d+)" if kind == "trial" else r"seed=(\d+)"
    return {
        int(match[1]): folder
        for folder in parent.glob("*")
        if (match := re.fullmatch(pattern, folder.name))
    }


def _has_begun(folder: Path) -> bool:
    """Whether a training was asked for; one that is trained along has only a checkpoint."""
    return any(each.name != "checkpoint" for each in folder.glob("*"))


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    """A training's record as a row of a table."""
    row = {name: value for name, value in record.items() if name not in ("params", "measures")}
    for name, old in _OLD_NAMES.items():  # in run directories made before 2026-11-24
        if old in row:
            row[name] = row.pop(old)
    return {
        **row,
        **{f"{MEASURE}{key}": value for key, value in (record.get("measures") or {}).items()},
        **{f"params_{key}": value for key, value in (record.get("params") or {}).items()},
    }


def _frame(rows: list[dict[str, Any]], columns: Mapping[str, str]) -> "pd.DataFrame":
    import pandas as pd

    rows = [
        {escape_surrogates(key): escape_surrogates(value) for key, value in row.items()}
        for row in rows
    ]
    # Columns are listed, so that a table without rows has them, too, with their types.
    extra = sorted({key for row in rows for key in row if key.startswith("params_")})
    measured = list(dict.fromkeys(key for row in rows for key in row if key.startswith(MEASURE)))
    columns = {**columns, **dict.fromkeys(measured, "float64")}
    table = pd.DataFrame.from_records(rows, columns=list(columns))
    table = table.astype({name: kind for name, kind in columns.items() if kind != "str"})
    for name in extra:
        table[name] = _parameters([row.get(name, MISSING) for row in rows])
    return table


def _parameters(values: list[Any]) -> "pd.Series[Any]":
    """A column of a hyperparameter; lists become tuples, which can be counted and compared.

    A trial without the hyperparameter has no value there (NaN). One whose value is None has None.
    """
    import pandas as pd

    kinds = {type(value) for value in values if value is not MISSING}
    if not (kinds <= {int, float} or kinds in ({bool}, {str})):
        cells = [math.nan if v is MISSING else hashable(v) for v in values]
        return pd.Series(cells, dtype=object)
    # pd.array keeps integers as integers beside missing cells.
    return pd.Series(pd.array([None if v is MISSING else v for v in values]))
