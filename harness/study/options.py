"""The options of `python -m harness.study`, each declared once. Light: `--help` reads it.

A field of `Options` is an option of the command line: its type, help text and default. Its
metadata says what else the option does.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

import typer

from harness.core import console

# The option replaces the field of the same name of the declared study.
OVERRIDES = {"overrides": True}
# The same of a field of the study's budget.
OF_BUDGET = {"of_budget": True}
# The option describes the columns of a table of the user's own.
OF_TABLES = {"of_tables": True}
# The option says what arrays of the user's own mean.
OF_ARRAYS = {"of_arrays": True}
# The option describes a table over time, from which something is forecast.
OF_FORECASTS = {"of_forecasts": True}
# The same, and it may change the forecast that a study declares itself.
OF_ANY_FORECAST = {**OF_FORECASTS, "of_any": True}
# The option may differ when the study is resumed. The stored command leaves it out: it changes how
# a study runs, or how long, not what the study is.
MAY_VARY = {"may_vary": True}


@dataclass(frozen=True, kw_only=True)
class Options:
    """The command line of `harness.study`; None where the study's own value is used."""

    name: str
    quick: Annotated[
        bool, typer.Option("--quick", help="The same question on a small budget, in NAME-quick.")
    ] = False
    trials: Annotated[
        int | None, typer.Option(help="Trials of each search in all, finished ones included.")
    ] = field(default=None, metadata={**OF_BUDGET, **MAY_VARY})
    epochs: Annotated[int | None, typer.Option(help="Epochs of a training at most.")] = field(
        default=None, metadata=OF_BUDGET
    )
    trial_epochs: Annotated[
        int | None, typer.Option(help="Epochs of a trial at most, where fewer than --epochs.")
    ] = field(default=None, metadata=OF_BUDGET)
    searches: Annotated[
        int | None, typer.Option(help="Independent searches of each arm; verdicts need two.")
    ] = field(default=None, metadata={**OVERRIDES, **MAY_VARY})
    replicates: Annotated[
        int | None, typer.Option(help="Trainings of each search's best on fresh seeds.")
    ] = field(default=None, metadata={**OVERRIDES, **MAY_VARY})
    settle: Annotated[
        bool, typer.Option("--settle", help="Add searches until every arm is settled.")
    ] = False
    max_searches: Annotated[
        int, typer.Option(help="With --settle: searches of an arm at most.")
    ] = 12
    time: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End in order after about so long: 90m, 2h, 1h30m."),
    ] = field(default=None, metadata=MAY_VARY)
    workers: Annotated[
        int | None, typer.Option(help="Trainings at once.  [default: one a physical core]")
    ] = field(default=None, metadata=MAY_VARY)
    threads: Annotated[int | None, typer.Option(help="Threads of each worker.")] = field(
        default=None, metadata=OVERRIDES
    )
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = field(
        default=None, metadata=OVERRIDES
    )
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Another dataset, or data of yours: CSV, TSV, JSON Lines, Parquet, .npz, folder.",
        ),
    ] = None
    text_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the texts.  [default: text]")
    ] = field(default=None, metadata=OF_TABLES)
    label_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the labels.  [default: label]")
    ] = field(default=None, metadata=OF_TABLES)
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="words, characters or keras.  [default: words]"),
    ] = field(default=None, metadata=OF_TABLES)
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Encoding of the texts: utf-8, utf-16, cp1252, …."),
    ] = field(default=None, metadata=OF_TABLES)
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What y means: classes, number, steps, or tags."),
    ] = field(default=None, metadata=OF_ARRAYS)
    time_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of the times, of a table to forecast from."),
    ] = field(default=None, metadata=OF_FORECASTS)
    target_column: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Column to forecast; several with commas, or again."),
    ] = field(default=None, metadata=OF_FORECASTS)
    input_columns: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Other inputs, or none.  [default: all numbers]"),
    ] = field(default=None, metadata=OF_FORECASTS)
    known_columns: Annotated[
        list[str] | None,
        typer.Option(metavar="NAMES", help="Columns known in advance, such as holidays."),
    ] = field(default=None, metadata=OF_FORECASTS)
    series_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column that tells several series apart.")
    ] = field(default=None, metadata=OF_FORECASTS)
    horizon: Annotated[
        int | None, typer.Option(metavar="H", help="Steps to forecast.  [default: 1]")
    ] = field(default=None, metadata=OF_ANY_FORECAST)
    frequency: Annotated[
        str | None,
        typer.Option(metavar="STEP", help="D, h, 15min, W, MS, B, ….  [default: guessed]"),
    ] = field(default=None, metadata=OF_FORECASTS)
    season: Annotated[
        int | None,
        typer.Option(metavar="STEPS", help="Period of the season.  [default: by the frequency]"),
    ] = field(default=None, metadata=OF_ANY_FORECAST)
    missing: Annotated[
        str | None,
        typer.Option(metavar="WAY", help="Missing values: error (default), interpolate or drop."),
    ] = field(default=None, metadata=OF_FORECASTS)
    gaps: Annotated[
        str | None,
        typer.Option(metavar="WAY", help="Gaps in time: error (default), fill or ignore."),
    ] = field(default=None, metadata=OF_FORECASTS)
    calendar: Annotated[
        bool | None,
        typer.Option("--calendar", help="Add features of the date: time of day, week, year."),
    ] = field(default=None, metadata=OF_ANY_FORECAST)
    folds: Annotated[
        int | None,
        typer.Option(metavar="K", help="Test on K successive blocks of time.  [default: 1]"),
    ] = field(default=None, metadata=OF_ANY_FORECAST)
    run_name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the run directory, for your data."),
    ] = None
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the dataset's files are.")
    ] = None
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="tensorflow, jax, torch or auto.")
    ] = field(default=None, metadata=OVERRIDES)
    device: Annotated[str | None, typer.Option(metavar="NAME", help="auto, cpu or gpu.")] = field(
        default=None, metadata=OVERRIDES
    )
    path: Annotated[
        str | None, typer.Option(metavar="NAME", help="Force how recurrent layers are executed.")
    ] = field(default=None, metadata=OVERRIDES)
    sampler: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="tpe, lcb, qmc, random, grid, gp, cmaes, kt-…."),
    ] = field(default=None, metadata=OVERRIDES)
    pruner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="median, none, percentile, successive-halving, hyperband or patient.",
        ),
    ] = field(default=None, metadata=OVERRIDES)
    warm_start: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Try another study's best configurations first."),
    ] = field(default=None, metadata=OVERRIDES)
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Optuna database.  [default: study.db in the run's DIR]"),
    ] = None
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where run directories are.")] = Path(
        "runs"
    )
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a Ray cluster: local, auto, HOST:PORT."),
    ] = None
    gpus_per_trial: Annotated[
        float | None,
        typer.Option(metavar="N", help="GPUs of each training on the cluster; 0.1 is a tenth."),
    ] = None
    trial_timeout: Annotated[
        float | None, typer.Option(metavar="S", help="End and fail a trial after S seconds.")
    ] = field(default=None, metadata=MAY_VARY)
    profile: Annotated[
        bool, typer.Option(help="Measure what the best configurations cost, at the end.")
    ] = field(default=True, metadata=MAY_VARY)
    compile_cache: Annotated[
        bool, typer.Option(help="Keep compiled programs for later studies.")
    ] = field(default=True, metadata=MAY_VARY)
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Move the old run directory aside and start again.")
    ] = field(default=False, metadata=MAY_VARY)
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = field(default=False, metadata=MAY_VARY)
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = field(default=False, metadata=MAY_VARY)
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = field(
        default=False, metadata=MAY_VARY
    )
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Progress with more details.")
    ] = field(default=False, metadata=MAY_VARY)

    def notify(self, text: str) -> None:
        """A line of progress, unless the user wants none."""
        if not self.quiet:
            console.notify(text)

    def given(self, kind: dict[str, bool]) -> dict[str, Any]:
        """By name the values that the command line gives for the options of a kind."""
        return {
            each.name: value
            for each in fields(self)
            if each.metadata.items() >= kind.items()
            and (value := getattr(self, each.name)) is not None
        }

    def to_resume(self) -> dict[str, Any]:
        """By name the options, with values other than the defaults, that resuming needs again."""
        return {
            each.name: value
            for each in fields(self)
            if each.default is not MISSING
            and not each.metadata.items() >= MAY_VARY.items()
            and (value := getattr(self, each.name)) is not None
            and value != each.default
        }


def takes_options(function: Callable[..., int]) -> Callable[..., int]:
    """Give a Typer command, in place of its `**values`, a parameter for each field of `Options`.

    A field that the command declares itself keeps the command's own parameter.
    """
    signature = inspect.signature(function)
    own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    names = {each.name for each in own}
    of_options = [
        inspect.Parameter(
            each.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if each.default is MISSING else each.default,
            annotation=each.type,
        )
        for each in fields(Options)
        if each.name not in names
    ]
    function.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[*own, *of_options]
    )
    return function
