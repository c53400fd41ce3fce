"""What configurations cost: `python -m harness.profile lstm_depth`, or any grid.

After an interruption the same command continues. See `python -m harness.profile --help`.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from harness.core import console
from harness.core.console import application
from harness.core.errors import UserError
from harness.core.text import counted
from harness.profile.of_study import profile_study

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
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")
    ] = Path("runs"),
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Measure step time, compile time, memory and more; the page's path is the last line.

    LISTs are separated by commas. Exit codes: 0 done, 2 wrong usage or input, 130 and 143 stopped
    by SIGINT and SIGTERM (the same command continues).
    """
    notify = _quiet if quiet else console.notify
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
        raise UserError(f"{given[0]}: a study's profile has its own grid; leave {name} out")
    if processes is not None and processes < 1:
        raise UserError(f"--processes {processes}: at least one is needed")
    from dataclasses import replace

    from harness.core.files import now, to_json, write_atomically
    from harness.profile import entries as entries_module
    from harness.profile import profiler
    from harness.profile.measurements import FULL, QUICK
    from harness.results.profile_file import read_profile
    from harness.results.records import read_records
    from harness.results.run_directory import find
    from reports import write

    effort = QUICK if quick else FULL
    effort = effort if processes is None else replace(effort, processes=processes)
    if name is not None:
        root = find(name, runs_directory)
        devices = None if device is None else _words(device)
        file = profile_study(read_records(root), effort, notify, devices=devices, path=path)
        page = write.write(root)
        profiled: Any = read_profile(file)
    else:
        configurations = profiler.grid(
            {
                "cell": _words(cell or "lstm"),
                "units": _numbers("units", units or "32"),
                "sequence_length": _numbers("sequence-length", sequence_length or "100"),
                "batch_size": _numbers("batch-size", batch_size or "32"),
                "depth": _numbers("depth", depth or "2"),
            },
            backends=_words(backend),
            devices=profiler.devices_here() if device is None else _words(device),
            path=path,
        )
        profiled = profiler.profile(configurations, output, effort, notify)
        entries_module.write(profiled, output / "profile.json", output / "profile.csv")
        from reports.pages import profile as profile_page

        page = output / "profile.html"
        write_atomically(page, profile_page.render(profiled, now=now()))
    if json_output:
        print(to_json({**profiled, "page": str(page)}))
        return
    for line in terminal_lines(profiled):
        print(line)
    print(page)


def terminal_lines(profiled: Any) -> list[str]:
    """A profile as lines for a terminal."""
    from harness.spec.hyperparameters import OPTIONS

    lines = []
    for entry in profiled["entries"]:
        step = entry["step_ms"]
        options = "".join(f" {name} {entry[name]}" for name in OPTIONS if name in entry)
        lines.append(
            f"{entry['cell']} depth {entry['depth']} units {entry['units']} "
            f"length {entry['sequence_length']} batch {entry['batch_size']}{options} "
            f"{entry['backend']} {entry['device']} {entry['path']}: "
            f"{step['median']:.3g} ms per step "
            f"[{step['p05']:.3g}, {step['p95']:.3g}]{' unstable' if step['unstable'] else ''}, "
            f"compiled in {entry['compile_s']:.1f} s, {entry['parameters']:,} parameters"
        )
    lines += [f"{each['configuration']}: {each['reason']}" for each in profiled["failed"]]
    return lines


def _predict(name: str, output: Path, runs_directory: Path, json_output: bool) -> None:
    from harness.core.files import to_json
    from harness.profile.backend_choice import resolved
    from harness.profile.estimate import predict_study
    from harness.spec import study_files
    from harness.workers.local import default_count

    declaration = study_files.load(name)
    study, _ = resolved(declaration.study)
    workers = min(default_count(study.threads, study.device), study.searches_in_all)
    found = predict_study(study, declaration.name, workers, runs_directory, output)
    if found is None:
        raise UserError(
            f"no profile of {study.backend} on a cpu to predict {name} from; make one with: "
            "python -m harness.profile --quick --cell lstm --depth 1,4 --units 4,64"
        )
    estimated, profiles = found
    if json_output:
        answer = {"study": declaration.name, "hours": estimated.seconds / 3600.0,
                  "hours_at_most": estimated.most_s / 3600.0, "search_s": estimated.search_s,
                  "replicates_s": estimated.replicates_s, "workers": workers,
                  "profile": profiles}  # fmt: skip
        print(to_json(answer))
        return
    print(
        f"{declaration.name}: {estimated.told} on {counted(workers, 'worker')} "
        f"(search {estimated.search_s:.0f} s, replicates {estimated.replicates_s:.0f} s); "
        f"by {profiles}"
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(word) for word in _words(text)]
    except ValueError:
        raise UserError(f"--{option} {text}: needs whole numbers, as in 1,2,4") from None


def _quiet(text: str) -> None:
    """Prints nothing."""
