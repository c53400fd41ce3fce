"""A grid of a study's configurations, trained once on several seeds: `harness tabulate NAME`.

The table has every epoch of every training; none is pruned. `harness contest` replays searches on
it, so that search methods are compared over many seeds within seconds. Each training has its own
folder, like replicates. The same command resumes an interrupted table.
"""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.contest.grid import Grid
from harness.contest.table import MANIFEST, TABLE, read_manifest
from harness.core.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from harness.search.replicates import Replicates
    from harness.spec.study import Study

EXAMPLES = """Example:  harness tabulate joint_search --at depth=1,2 --at units=8,32 --at
sequence_length=50 --at dropout=0 --levels 5"""


def tabulate(
    name: Annotated[str, typer.Argument(metavar="NAME|FILE.py", help="The study.")],
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=V1,V2,…", help="Values of a searched hyperparameter; repeatable."
        ),
    ] = None,
    levels: Annotated[
        int, typer.Option(help="Values of every other searched one, evenly spaced on its scale.")
    ] = 3,
    seeds: Annotated[int, typer.Option(help="Trainings of each configuration.")] = 2,
    epochs: Annotated[int | None, typer.Option(help="Epochs of each training.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Trainings at once.  [default: one a physical core]")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Use the study's small budget.")] = False,
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")
    ] = Path("runs"),
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Train a grid of a study's configurations, and write every epoch to a Parquet table.

    The compared values are part of the grid. The same command resumes an interrupted table.
    """
    from importlib.util import find_spec

    from harness.core import console, files
    from harness.profile.backend_choice import resolved
    from harness.results import lock
    from harness.spec import study_files
    from harness.study.trainings import board_of, run_replicates, settings_of
    from harness.workers.local import LocalPool, default_count

    if find_spec("pyarrow") is None:
        raise UserError("tables are Parquet, which needs pyarrow; pip install pyarrow")
    for option, value in (("seeds", seeds), ("levels", levels), ("workers", workers)):
        if value is not None and value < 1:
            raise UserError(f"--{option} {value}: at least one is needed")
    declaration = study_files.load(name)
    study = declaration.study.quick() if quick else declaration.study
    if study.hold:
        raise UserError(f"{name}: its units follow from hold, so they can't be a grid")
    budget = replace(study.budget, epochs=epochs or study.budget.epochs)
    study = replace(study, budget=budget, patience=None)
    root = runs_directory / f"{declaration.name}{'-quick' if quick else ''}-table"
    study, why = resolved(study, ((read_manifest(root) or {}).get("study") or {}).get("backend"))
    if why and not quiet:
        console.notify(f"backend auto: {study.backend}, {why}")
    grid = Grid.of(study, at or [], levels)
    with lock.hold(root / "lock"):
        described = _prepare(root, study, grid, seeds)
        planned = trainings(study, grid, seeds, root)
        if planned.has_more:
            number = len(grid) * seeds
            count = min(workers or default_count(study.threads, study.device), number)
            settings = settings_of(study, declaration)
            board = board_of(
                ["all"], number, count, study.budget.epochs,
                noun="training", quiet=quiet, verbose=False,
            )  # fmt: skip
            with LocalPool(count, settings, root / "logs") as pool:
                run_replicates([planned], pool, board)
        with files.replacing(root / TABLE) as temporary:
            read(root, grid, seeds).to_parquet(temporary, index=False)
        described["table_sha256"] = files.hash_of_file(root / TABLE)
        files.write_atomically(root / MANIFEST, files.to_json(files.sealed(described)))
    print(root / TABLE)


def trainings(study: "Study", grid: Grid, seeds: int, root: Path) -> "Replicates":
    """One planned training for each configuration and seed."""
    from harness.core.seeds import derive_seed
    from harness.search.replicates import Planned, Replicates
    from harness.spec.study import Arm

    if study.of_dataset:
        raise UserError(
            f"{min(study.of_dataset)}: a table has one dataset; its fields can't be compared"
        )
    planned = [
        Planned(
            number=number * seeds + seed,
            folder=folder_of(root, number, seed),
            record={"arm": "all", "configuration": number, "params": configuration},
            hyperparameters=study.hyperparameters(
                Arm("all", {name: configuration[name] for name in study.compare}),
                {name: configuration[name] for name in study.space},
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
    """One row for each epoch: configuration (from 0), seed, hyperparameters, metrics, state."""
    import pandas as pd

    from harness.results.training_folder import read_epochs, read_result

    rows = []
    for number, configuration in enumerate(grid.configurations()):
        for seed in range(1, seeds + 1):
            folder = folder_of(root, number, seed)
            result = read_result(folder) or {}
            known = {
                "configuration": number,
                "seed": seed,
                **configuration,
                "state": result.get("state"),
                "parameters": result.get("parameters"),
                "path": result.get("path"),
                "training_seed": str(result.get("seed", "")),
            }
            epochs = read_epochs(folder)
            # A training that failed before its first epoch has a row, too.
            rows += [known | epoch for epoch in epochs] or [known | {"epoch": 0}]
    return pd.DataFrame(rows)


def _prepare(root: Path, study: "Study", grid: Grid, seeds: int) -> dict[str, Any]:
    """Start or resume a table; returns what its manifest says.

    Raises UserError where the folder has a table of other trainings, or has lost what says so.
    Trainings whose files are damaged are moved aside, and trained again.
    """
    from harness.core import console, files
    from harness.results import integrity
    from harness.search.replicates import mend
    from harness.spec.fingerprint import differences

    integrity.check_kinds(root)
    files.remove_litter(root)

    described: dict[str, Any] = {
        "study": study.to_mapping(),
        "grid": {name: list(values) for name, values in grid.values.items()},
        "seeds": seeds,
    }
    study.dataset.prepare(lambda line: None)
    described["dataset_sha256"] = study.dataset.fingerprint()
    old = read_manifest(root)
    if old is None and any(root.glob("trainings/*/*/result.json")):
        raise UserError(
            f"{root} has trainings but no {MANIFEST}; put it back, or move the folder aside"
        )
    if old is not None:
        changed = [
            *differences(old["study"], described["study"]),
            *differences({"grid": old["grid"]}, {"grid": described["grid"]}),
        ]
        if changed:
            raise UserError(
                f"{root} was started with another grid or study ({'; '.join(changed)}); give "
                "the old values to resume, or move the folder aside"
            )
        if described["dataset_sha256"] != old["dataset_sha256"]:
            raise UserError(
                f"{root}: the data have changed since the table was started; put them back as they "
                "were, or move the folder aside"
            )
    for folder in sorted(root.glob("trainings/*/seed=*")):
        mend(folder, console.notify)
    files.write_atomically(root / MANIFEST, files.to_json(files.sealed(described)))
    return described
