"""What configurations cost: `python -m harness.profile lstm_depth`, or any grid.

The same command goes on where the last one stopped. See `python -m harness.profile --help`.
"""

import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.core.console import application
from harness.core.errors import UserError

if TYPE_CHECKING:
    from harness.datasets.base.signature import Signature
    from harness.profile.profiler import Configuration, Effort
    from harness.profile.scaling import Estimate
    from harness.results.records import Records
    from harness.spec.study import Study

EXAMPLES = """Examples:

\b
  python -m harness.profile lstm_depth                       a study's best, and a grid of depths
  python -m harness.profile --cell lstm,gru --depth 1,2,4    any grid
  python -m harness.profile --predict lstm_depth             how long the study will take
"""
GRID = ("cell", "depth", "units", "sequence_length", "batch_size")

app = application()


@app.command(epilog=EXAMPLES)
def profile(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|DIR]", help="A study by name, or a run directory."),
    ] = None,
    cell: Annotated[str | None, typer.Option(metavar="LIST", help="rnn, gru, lstm.")] = None,
    depth: Annotated[str | None, typer.Option(metavar="LIST", help="Layers.")] = None,
    units: Annotated[str | None, typer.Option(metavar="LIST", help="Units a layer.")] = None,
    sequence_length: Annotated[str | None, typer.Option(metavar="LIST", help="Words.")] = None,
    batch_size: Annotated[str | None, typer.Option(metavar="LIST", help="Examples.")] = None,
    backend: Annotated[
        str, typer.Option(metavar="LIST", help="tensorflow, jax, torch.")
    ] = "tensorflow",
    device: Annotated[
        str | None, typer.Option(metavar="LIST", help="cpu, gpu.  [default: what is there]")
    ] = None,
    path: Annotated[
        str | None, typer.Option(metavar="NAME", help="Force how recurrent layers are executed.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(help="Fresh processes that measure each.  [default: 5]")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="One process, a second each.")] = False,
    predict: Annotated[
        str | None, typer.Option(metavar="STUDY", help="Estimate how long a study will take.")
    ] = None,
    output: Annotated[
        Path, typer.Option(metavar="DIR", help="Where a grid's profile is kept.")
    ] = Path("profile"),
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories lie.")
    ] = Path("runs"),
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Measure step time, compile time, memory and more; the page's path is the last line.

    LISTs are separated by commas. Exit codes: 0 done, 2 wrong usage or input, 130 and 143 stopped
    by SIGINT and SIGTERM (the same command goes on).
    """
    say = _quiet if quiet else _say
    asked = dict(zip(GRID, (cell, depth, units, sequence_length, batch_size), strict=True))
    given = [f"--{key.replace('_', '-')}" for key, value in asked.items() if value is not None]
    if predict is not None:
        _predict(predict, output, runs_directory, json_output)
        return
    if name is None and not given:
        raise typer.BadParameter(
            "name a study, or a grid: --cell lstm --depth 1,2", param_hint="NAME"
        )
    if name is not None and given:
        raise UserError(f"{given[0]}: a study's profile has a grid of its own; leave {name} out")
    if processes is not None and processes < 1:
        raise UserError(f"--processes {processes}: at least one is needed")
    from dataclasses import replace

    from harness import report
    from harness.profile import profiler
    from harness.results import records as runs

    effort = profiler.QUICK if quick else profiler.FULL
    effort = effort if processes is None else replace(effort, processes=processes)
    if name is not None:
        root = report.find(name, runs_directory)
        devices = None if device is None else _words(device)
        file = _profile_study(root, effort, say, devices=devices, path=path)
        page = report.write(root)
        profiled: Any = runs.read_profile(file)
    else:
        configurations = profiler.grid(
            cells=_words(cell or "lstm"),
            depths=_numbers("depth", depth or "2"),
            units=_numbers("units", units or "32"),
            lengths=_numbers("sequence-length", sequence_length or "100"),
            batches=_numbers("batch-size", batch_size or "32"),
            backends=_words(backend),
            devices=profiler.devices_here() if device is None else _words(device),
            path=path,
        )
        profiled = profiler.profile(configurations, output, effort, say)
        profiler.write(profiled, output / "profile.json", output / "profile.csv")
        from reports.pages import profile as profile_page

        page = output / "profile.html"
        runs.write_atomically(page, profile_page.render(profiled, now=runs.now()))
    if json_output:
        print(runs.to_json({**profiled, "page": str(page)}))
        return
    for line in in_words(profiled):
        print(line)
    print(page)


def profile_run_directory(root: Path, *, quick: bool, say: Callable[[str], None]) -> Path:
    """Profile a finished study with a short budget, into its run directory; returns profile.json.

    The best configuration of each arm, and unless `quick` a grid of depths. Raises UserError where
    no trial has completed, or nothing could be measured.
    """
    from harness.profile import profiler
    from harness.results import records as runs

    effort = profiler.QUICK if quick else profiler.SHORT
    earlier = runs.read_profile(runs.RunDirectory(root).profile)
    if earlier:  # to be renewed as thoroughly as it was made
        effort = profiler.Effort(int(earlier["processes"]), float(earlier["seconds"]))
    return _profile_study(root, effort, say, grid=not quick)


def profile_is_current(root: Path) -> bool:
    """Whether profile.json has each arm's best configuration, or says why it has not.

    More trials may have found others. True as well where no trial has completed.
    """
    from dataclasses import replace

    from harness.analysis import summary
    from harness.profile.scaling import hyperparameters_of
    from harness.results import records as runs
    from harness.spec.hyperparameters import Hyperparameters

    records = runs.read_records(root)
    best = summary.best_trials(records)
    if records.manifest["spec"].get("model"):
        return True  # never measured
    if records.profile is None or records.profile["failed"]:
        return best.empty or records.profile is not None
    measured = [
        (hyperparameters_of(entry), arm)
        for entry in records.profile["entries"]
        for arm in entry["arms"]
    ]
    for _, trial in best.iterrows():
        hp = Hyperparameters.from_mapping(summary.all_parameters(records, trial))
        # Step times do not depend on the learning rate, so that a profile does not say it.
        if not any(
            arm == trial["arm"] and replace(of, learning_rate=hp.learning_rate) == hp
            for of, arm in measured
        ):
            return False
    return True


def _profile_study(
    root: Path,
    effort: "Effort",
    say: Callable[[str], None],
    *,
    grid: bool = True,
    devices: Sequence[str] | None = None,
    path: str | None = None,
) -> Path:
    from harness.profile import profiler
    from harness.results import records as runs

    directory = runs.RunDirectory(root)
    records = runs.read_records(root)
    configurations = configurations_of(records, grid=grid, devices=devices, path=path)
    profiled = profiler.profile(configurations, root / "profile", effort, say)
    profiler.write(profiled, directory.profile, directory.tables / "profile.csv")
    return directory.profile


def configurations_of(
    records: "Records",
    *,
    grid: bool = True,
    devices: Sequence[str] | None = None,
    path: str | None = None,
) -> list["Configuration"]:
    """The best configuration of each arm; with `grid` depths 1 to 4 of each of their cells, too.

    The grid has the lower median of units and length among completed trials (one number of units
    for all layers). Raises UserError where no trial has completed.
    """
    import statistics
    from dataclasses import replace

    from harness.analysis import summary
    from harness.profile import profiler
    from harness.spec.hyperparameters import BAG, Hyperparameters

    best = summary.best_trials(records)
    if best.empty:
        raise UserError(
            f"{records.root}: no trial has completed yet, so there is nothing to profile"
        )
    spec = records.manifest["spec"]
    if spec.get("model"):
        raise UserError(
            "the study builds models of its own, which are not profiled; step times are in its "
            "trials"
        )
    if devices is None:
        here = profiler.devices_here()
        devices = here if spec["device"] == "auto" else [spec["device"]]
    trials = records.trials[records.trials["state"] == "complete"]
    all_of = [
        Hyperparameters.from_mapping(summary.all_parameters(records, trial))
        for _, trial in trials.iterrows()
    ]
    chosen: list[tuple[Hyperparameters, tuple[str, ...]]] = [
        (Hyperparameters.from_mapping(summary.all_parameters(records, trial)), (str(trial["arm"]),))
        for _, trial in best.iterrows()
    ]
    if grid:
        units = statistics.median_low(n for hp in all_of for n in hp.units_per_layer)
        length = statistics.median_low(hp.sequence_length for hp in all_of)
        first = {hp.cell: hp for hp, _ in reversed(chosen) if hp.cell != BAG}
        chosen += [
            (replace(hp, depth=depth, units=units, sequence_length=length, dropout=0.0), ())
            for hp in first.values()
            for depth in (1, 2, 3, 4)
        ]
    return [
        profiler.Configuration(
            hyperparameters=hp,
            backend=spec["backend"],
            device=device,
            path=path or spec.get("path"),
            threads=spec["threads"],
            signature=_signature(records),
            arms=arms,
        )
        for device in devices
        for hp, arms in chosen
    ]


def _signature(records: "Records") -> "Signature":
    """What the models of a study take and give."""
    from harness import datasets
    from harness.datasets.base.signature import Signature

    known = records.manifest.get("dataset") or {}
    if "classes" not in known:  # a run directory of an earlier version
        with contextlib.suppress(UserError, KeyError):
            return datasets.by_name(known["name"]).signature
    return Signature(**{n: known[n] for n in ("classes", "features", "steps") if n in known})


def in_words(profiled: Any) -> list[str]:
    """A profile as lines for a terminal."""
    lines = []
    for entry in profiled["entries"]:
        step = entry["step_ms"]
        lines.append(
            f"{entry['cell']} depth {entry['depth']} units {entry['units']} "
            f"length {entry['sequence_length']} batch {entry['batch_size']} {entry['backend']} "
            f"{entry['device']} {entry['path']}: {step['median']:.3g} ms a step "
            f"[{step['p05']:.3g}, {step['p95']:.3g}]{' unstable' if step['unstable'] else ''}, "
            f"compiled in {entry['compile_s']:.1f} s, {entry['parameters']:,} parameters"
        )
    lines += [f"{each['configuration']}: {each['reason']}" for each in profiled["failed"]]
    return lines


def predict_study(
    study: "Study", name: str, workers: int, *places: Path
) -> "tuple[Estimate, str] | None":
    """How long a study will take at most, and by which profiles, in words.

    Looked for in the run directory of `name` below each of `places`, then there, then in the run
    directories of other studies. The first that can tell counts, together with all others of the
    same processor and versions: the more shapes were measured, the less is extrapolated. None
    where no profile has the study's backend.
    """
    from harness.profile import scaling
    from harness.results import records as runs

    files = [place / name / "profile.json" for place in places]
    files += [place / "profile.json" for place in places]
    files += [file for place in places for file in sorted(place.glob("*/profile.json"))]
    profiles = {file: found for file in files if (found := runs.read_profile(file))}
    for file, first in profiles.items():
        if not scaling.estimate(study, first, workers=workers):
            continue
        alike = [each for each in profiles.values() if _machine(each) == _machine(first)]
        entries = [entry for each in alike for entry in each["entries"]]
        estimated = scaling.estimate(study, {"entries": entries}, workers=workers)
        assert estimated is not None  # with more entries than were enough
        others = f" and {len(alike) - 1} more of this machine" if len(alike) > 1 else ""
        return estimated, f"{file}{others}"
    return None


def _machine(profile: Any) -> Any:
    """Equal where step times may be used together."""
    environment = profile.get("environment") or {}
    return [environment.get(key) for key in ("cpu", "gpus", "packages")]


def _predict(name: str, output: Path, runs_directory: Path, json_output: bool) -> None:
    from harness.results import records as runs
    from harness.spec import study_files
    from harness.workers.local import default_count

    declaration = study_files.load(name)
    study = declaration.study
    workers = min(default_count(study.threads, study.device), len(study.arms()))
    found = predict_study(study, declaration.name, workers, runs_directory, output)
    if found is None:
        raise UserError(
            f"no profile of {study.backend} on a cpu to predict {name} from; make one with: "
            "python -m harness.profile --quick --cell lstm --depth 1,4 --units 4,64"
        )
    estimated, profiles = found
    hours = estimated.seconds / 3600.0
    if json_output:
        answer = {"study": declaration.name, "hours": hours, "search_s": estimated.search_s,
                  "replicates_s": estimated.replicates_s, "workers": workers,
                  "profile": profiles}  # fmt: skip
        print(runs.to_json(answer))
        return
    print(
        f"{declaration.name}: at most {hours:.2g} hours on {workers} workers "
        f"(search {estimated.search_s:.0f} s, replicates {estimated.replicates_s:.0f} s), "
        f"pruning makes it less; by {profiles}"
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(word) for word in _words(text)]
    except ValueError:
        raise UserError(f"--{option} {text}: needs whole numbers, as in 1,2,4") from None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _quiet(text: str) -> None:
    """Says nothing."""
