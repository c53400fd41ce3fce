"""A grid of a study's configurations, trained once on several seeds: `harness tabulate NAME`.

The table has every epoch of every training, none pruned. `harness contest` replays searches on it,
so that search methods are compared over many seeds in seconds. Trainings are files, as replicates
are; a table that was interrupted goes on where it stopped.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.core.errors import UserError
from harness.table import MANIFEST, TABLE

if TYPE_CHECKING:
    import pandas as pd
    from optuna.distributions import BaseDistribution

    from harness.search.replicates import Replicates
    from harness.spec.study import Study

MOST_CONFIGURATIONS = 20_000

EXAMPLES = """Example:  harness tabulate joint_search --at depth=1,2 --at units=8,32 --at
sequence_length=50 --at dropout=0 --levels 5"""


def tabulate(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE.py", help="The study.")],
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=V1,V2,…", help="Values of a searched hyperparameter; repeat."),
    ] = None,
    levels: Annotated[
        int, typer.Option(help="Values of each other one, evenly spaced on its own scale.")
    ] = 3,
    seeds: Annotated[int, typer.Option(help="Trainings of each configuration.")] = 2,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each training.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Trainings at once.  [default: one a physical core]")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="On the study's small budget.")] = False,
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories lie.")
    ] = Path("runs"),
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Train a grid of a study's configurations, all epochs of each, into a Parquet table.

    What the study compares is part of the grid. The same command goes on where it was stopped.
    """
    from importlib.util import find_spec

    from harness.results import lock
    from harness.spec import study_files
    from harness.study import trainings as sitting
    from harness.workers.local import LocalPool, default_count

    if find_spec("pyarrow") is None:
        raise UserError("tables are Parquet, which needs pyarrow; pip install pyarrow")
    for option, value in (("seeds", seeds), ("levels", levels), ("workers", workers)):
        if value is not None and value < 1:
            raise UserError(f"--{option} {value}: at least one is needed")
    declaration = study_files.load(name)
    study = declaration.study.quick() if quick else declaration.study
    if study.hold:
        raise UserError(f"{name}: units follow from what it holds, so there is no grid of them")
    budget = replace(study.budget, epochs=epochs or study.budget.epochs)
    study = replace(study, budget=budget, patience=None)
    grid = Grid.of(study, at or [], levels)
    root = runs_directory / f"{declaration.name}{'-quick' if quick else ''}-table"
    with lock.hold(root / "lock"):
        _match(root, study, grid, seeds)
        planned = trainings(study, grid, seeds, root)
        if planned.has_more:
            number = len(grid) * seeds
            count = min(workers or default_count(study.threads, study.device), number)
            settings = sitting.settings_of(study, declaration)
            board = sitting.board_of(
                ["all"], number, count, study.budget.epochs,
                noun="training", quiet=quiet, verbose=False,
            )  # fmt: skip
            with LocalPool(count, settings, root / "logs") as pool:
                sitting.run_replicates([planned], pool, board)
        table = read(root, grid, seeds)
        table.to_parquet(root / TABLE, index=False)
    print(root / TABLE)


@dataclass(frozen=True)
class Grid:
    """Every combination of these values, the last hyperparameter's changing fastest."""

    values: Mapping[str, tuple[Any, ...]]

    @classmethod
    def of(cls, study: "Study", at: Sequence[str], levels: int) -> "Grid":
        """What is compared, and of what is searched the values given or `levels` of each."""
        given = dict(_given(text, study) for text in at)
        values = {name: tuple(each) for name, each in study.compare.items()}
        for name, distribution in study.search.items():
            values[name] = given.get(name) or spaced(distribution, levels)
        grid = cls(values)
        if len(grid) > MOST_CONFIGURATIONS:
            raise UserError(
                f"{len(grid):,} configurations are too many; take fewer --levels, or say values: "
                f"--at {next(iter(study.search))}=…"
            )
        return grid

    def __len__(self) -> int:
        return math.prod(len(each) for each in self.values.values())

    def configurations(self) -> list[dict[str, Any]]:
        names = list(self.values)
        combinations = itertools.product(*self.values.values())
        return [dict(zip(names, each, strict=True)) for each in combinations]


def spaced(distribution: "BaseDistribution", levels: int) -> tuple[Any, ...]:
    """Choices as they are; numbers from end to end, evenly on the distribution's own scale."""
    import numpy as np
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(distribution, CategoricalDistribution):
        return tuple(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    between = np.geomspace if distribution.log else np.linspace
    low, high = distribution.low, distribution.high
    found = [float(v) for v in between(low, high, levels)] if levels > 1 else [(low + high) / 2]
    if isinstance(distribution, IntDistribution):
        found = [low + round((v - low) / distribution.step) * distribution.step for v in found]
    return tuple(dict.fromkeys(found))


def _given(text: str, study: "Study") -> tuple[str, tuple[Any, ...]]:
    name, _, listed = text.partition("=")
    if name not in study.search:
        known = ", ".join(study.search) or "nothing"
        raise UserError(f"--at {text}: {name!r} is not searched; the study searches {known}")
    distribution = study.search[name]
    values = tuple(_value(text, word.strip(), distribution) for word in listed.split(",") if word)
    if not values:
        raise UserError(f"--at {text}: give values, say --at {name}=1,2")
    return name, values


def _value(text: str, word: str, distribution: "BaseDistribution") -> Any:
    from optuna.distributions import CategoricalDistribution, IntDistribution

    if isinstance(distribution, CategoricalDistribution):
        found = {str(choice): choice for choice in distribution.choices}
        if word not in found:
            raise UserError(f"--at {text}: {word} is not one of {', '.join(found)}")
        return found[word]
    try:
        value = int(word) if isinstance(distribution, IntDistribution) else float(word)
    except ValueError:
        raise UserError(f"--at {text}: {word!r} is not a number") from None
    if not distribution._contains(value):
        raise UserError(f"--at {text}: {word} lies outside of {distribution}")
    return value


def trainings(study: "Study", grid: Grid, seeds: int, root: Path) -> "Replicates":
    """One training for each configuration and seed; those with a result file are done."""
    from harness.core.seeds import derive_seed
    from harness.search.replicates import Planned, Replicates
    from harness.spec.study import Arm

    if study.of_dataset:
        raise UserError(f"{min(study.of_dataset)}: a table is of one dataset; it can't be compared")
    planned = [
        Planned(
            number=number * seeds + seed,
            folder=folder_of(root, number, seed),
            record={"arm": "all", "configuration": number, "params": configuration},
            hyperparameters=study.hyperparameters(
                Arm("all", {name: configuration[name] for name in study.compare}),
                {name: configuration[name] for name in study.search},
            ),
            seed=derive_seed(study.seed, "table", seed),
            score=False,
        )
        for number, configuration in enumerate(grid.configurations())
        for seed in range(1, seeds + 1)
    ]
    return Replicates(study, Arm("all", {}), planned)


def folder_of(root: Path, configuration: int, seed: int) -> Path:
    return root / "trainings" / f"{configuration:05d}" / f"seed={seed}"


def read(root: Path, grid: Grid, seeds: int) -> "pd.DataFrame":
    """A row an epoch: configuration (from 0), seed, hyperparameters, metrics, seconds, state."""
    import pandas as pd

    from harness.results import records

    rows = []
    for number, configuration in enumerate(grid.configurations()):
        for seed in range(1, seeds + 1):
            folder = folder_of(root, number, seed)
            result = records.read_object(folder / "result.json") or {}
            known = {
                "configuration": number,
                "seed": seed,
                **configuration,
                "state": result.get("state"),
                "parameters": result.get("parameters"),
                "path": result.get("path"),
                "training_seed": str(result.get("seed", "")),
            }
            epochs = records.read_epochs(folder)
            # One that failed before its first epoch has a row all the same.
            rows += [known | epoch for epoch in epochs] or [known | {"epoch": 0}]
    return pd.DataFrame(rows)


def _match(root: Path, study: "Study", grid: Grid, seeds: int) -> None:
    """Begin a table, or make sure that the one there is of the same trainings."""
    from harness.results import records
    from harness.spec.study import differences

    described = {
        "study": study.to_mapping(),
        "grid": {name: list(values) for name, values in grid.values.items()},
        "seeds": seeds,
    }
    study.dataset.prepare(lambda line: None)
    described["dataset_sha256"] = study.dataset.fingerprint()
    old = records.read_object(root / MANIFEST)
    if old is not None:
        changed = differences(
            {"study": old["study"], "grid": old["grid"]},
            {"study": described["study"], "grid": described["grid"]},
        )
        if changed:
            raise UserError(
                f"{root} was begun with another grid or study ({'; '.join(changed)}); give the old "
                "values to go on, or move the folder aside"
            )
        if described["dataset_sha256"] != old["dataset_sha256"]:
            raise UserError(
                f"{root}: the data have changed since the table was begun; put them back as they "
                "were, or move the folder aside"
            )
    records.write_atomically(root / MANIFEST, records.to_json(described))
