"""A table of trainings, as `harness tabulate` writes it, and how it is read."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.core import files
from harness.core.errors import UserError
from harness.core.metrics import Metric, validation_metric_of
from harness.core.shapes import NUMBER

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


@dataclass(frozen=True)
class Method:
    sampler: str
    pruner: str

    @property
    def label(self) -> str:
        return self.sampler if self.pruner == "none" else f"{self.sampler} + {self.pruner}"


@dataclass(frozen=True)
class TableTraining:
    """One training: by epoch, validation losses and seconds; both empty where it failed."""

    losses: tuple[float, ...]
    seconds: tuple[float, ...]


@dataclass(frozen=True)
class Table:
    """A grid of `values`, by hyperparameter, with `trainings` by configuration and seed.

    `quality`, shape (configurations,), is the validation score (accuracy: 0 to 1) at the epoch with
    the lowest validation loss, the mean over seeds; NaN where all trainings failed. `margin` is in
    its unit.
    """

    name: str
    values: Mapping[str, tuple[Any, ...]]
    kinds: Mapping[str, str]  # of distribution, by hyperparameter
    trainings: tuple[tuple[TableTraining, ...], ...]
    quality: NDArray[np.float64]
    epochs: int
    metric: Metric
    default: Method  # the study's own
    margin: float

    @classmethod
    def read(cls, root: Path) -> "Table":
        """The table in a folder; raises UserError where there is no complete one."""
        import pandas as pd

        described = read_manifest(root)
        if described is None or not (root / TABLE).is_file():
            raise UserError(f"{root} has no table; make one with: harness tabulate NAME")
        known = described.get("table_sha256")
        if known is not None and files.hash_of_file(root / TABLE) != known:
            raise _damaged(root / TABLE, "it has changed since it was written")
        try:
            frame = pd.read_parquet(root / TABLE)
        except (ValueError, OSError) as error:  # pyarrow's own errors are of these kinds
            raise _damaged(root / TABLE, str(error).split("\n")[0][:200]) from None
        missing = [name for name in COLUMNS if name not in frame.columns]
        if missing:
            raise _damaged(root / TABLE, f"it has no column {missing[0]}")
        study = described["study"]
        values = {name: tuple(each) for name, each in described["grid"].items()}
        trainings, quality = [], []
        for _, of_configuration in frame.groupby("configuration"):
            rows, found = [], []
            for _, epochs in of_configuration.groupby("seed"):
                usable = epochs[epochs["epoch"] > 0] if _ended(epochs) else epochs.iloc[:0]
                rows.append(
                    TableTraining(
                        tuple(map(float, usable["val_loss"])),
                        tuple(map(float, usable["train_s"] + usable["validation_s"])),
                    )
                )
                if len(usable):
                    best = int(usable["val_loss"].to_numpy().argmin())
                    found.append(float(usable["val_accuracy"].to_numpy()[best]))
            trainings.append(tuple(rows))
            quality.append(float(np.mean(found)) if found else math.nan)
        if len(trainings) != math.prod(len(each) for each in values.values()):
            raise UserError(f"{root} is not complete; give the command of harness tabulate again")
        # Qualities of one study differ little, so they get a decimal more than elsewhere.
        metric = validation_metric_of(study.get("dataset") or {})
        if metric.higher_is_better:
            decimals = 2 if metric.unit else 3
            metric = replace(metric, decimals=decimals, difference_decimals=decimals)
        margin = float(study["margin"])
        return cls(
            name=root.name.removesuffix("-table"),
            values=values,
            kinds={name: kind["name"] for name, kind in study["search"].items()},
            trainings=tuple(trainings),
            quality=np.array(quality),
            epochs=int(study["budget"]["epochs"]),
            metric=metric,
            default=Method(study["sampler"], study["pruner"]),
            margin=margin if metric.higher_is_better else margin * float(np.nanmin(quality)),
        )

    def space(self) -> dict[str, "BaseDistribution"]:
        """A distribution for each hyperparameter with several values; numbers by their rank."""
        from optuna.distributions import CategoricalDistribution, IntDistribution

        return {
            name: IntDistribution(0, len(values) - 1)
            if self.kinds.get(name) in ("IntDistribution", "FloatDistribution")
            else CategoricalDistribution(tuple(range(len(values))))
            for name, values in self.values.items()
            if len(values) > 1
        }

    def row(self, params: Mapping[str, int]) -> int:
        """The number of a configuration; `params` has the place of each value in `values`."""
        places = [params.get(name, 0) for name in self.values]
        shape = [len(each) for each in self.values.values()]
        return int(np.ravel_multi_index(places, shape))

    @property
    def best(self) -> float:
        """The best quality in the table."""
        sign = self.metric.sign
        return sign * float(np.nanmax(sign * self.quality))

    @property
    def mean_cost(self) -> float:
        """Mean seconds of a whole training."""
        return float(
            np.mean([sum(t.seconds) for each in self.trainings for t in each if t.seconds])
        )


def _ended(epochs: Any) -> bool:
    return bool((epochs["state"] == "complete").all())


TABLE, MANIFEST = "table.parquet", "table.json"
COLUMNS = ("configuration", "seed", "epoch", "state", "val_loss", "val_accuracy", "train_s",
           "validation_s")  # fmt: skip
_SHAPE: dict[str, Any] = {
    "study": {
        "search": {"*": {"name": str}},
        "budget": {"epochs": int},
        "sampler": str,
        "pruner": str,
        "margin": NUMBER,
        "dataset?": dict,
    },
    "grid": {"*": list},
    "seeds?": int,
    "dataset_sha256?": str,
    "table_sha256?": str,
}


def read_manifest(root: Path) -> dict[str, Any] | None:
    """What the trainings of a table are; None without one. Raises UserError for a damaged one."""
    file = root / MANIFEST
    try:
        described = files.parse_object(file.read_bytes())
    except FileNotFoundError:
        return None
    if (wrong := files.fault(described, _SHAPE)) is not None:
        raise _damaged(file, wrong)
    return described


def _damaged(file: Path, how: str) -> UserError:
    fix = (
        "move its folder aside and make it"
        if file.name == MANIFEST
        else "give the command that made it"
    )
    return UserError(
        f"{file} is damaged ({how}); put a good copy back, or {fix} again: harness tabulate NAME"
    )
