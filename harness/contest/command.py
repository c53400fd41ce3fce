"""Compare search methods: `python -m harness.contest joint_search`.

Searches are replayed on a table of trainings (`harness tabulate NAME`), so that each method is
tried on many seeds within seconds. A method is a sampler with a pruner.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from harness.core import console
from harness.core.console import application
from harness.core.errors import UserError, unknown

if TYPE_CHECKING:
    from harness.contest.replay import Contest

EXAMPLES = """Example:  python -m harness.contest joint_search --samplers tpe,random,gp
--pruners none,median,hyperband --seeds 10"""

app = application()


@app.command(epilog=EXAMPLES)
def contest(
    name: Annotated[
        str, typer.Argument(metavar="NAME|DIR", help="A study with a table, or the table's folder.")
    ],
    sampler_names: Annotated[
        str, typer.Option("--samplers", metavar="A,B,…", help="Samplers to try.")
    ] = "tpe,random",
    pruner_names: Annotated[
        str, typer.Option("--pruners", metavar="A,B,…", help="Pruners to try with each.")
    ] = "none,median",
    seeds: Annotated[int, typer.Option(help="Searches of each method.")] = 10,
    trials: Annotated[
        int,
        typer.Option(help="Trials of a search; its time limit is that of so many whole trainings."),
    ] = 20,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    runs_directory: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where run directories are.")
    ] = Path("runs"),
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Replay searches on a study's table; write a report with curves, paired tests and ranks."""
    import optuna

    from harness import pruners, samplers
    from harness.contest import replay
    from harness.contest.table import Method, Table
    from harness.core import files

    for option, value in (("seeds", seeds), ("trials", trials)):
        if value < 1:
            raise UserError(f"--{option} {value}: at least one is needed")
    methods = [
        Method(sampler, pruner)
        for sampler in _listed("sampler", sampler_names, samplers.names())
        for pruner in _listed("pruner", pruner_names, pruners.names())
    ]
    root = _table(name, runs_directory)
    table = Table.read(root)
    for method in methods:
        samplers.check(method.sampler, table.space(), trials=trials)
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def notify(line: str) -> None:
        if not quiet:
            console.notify(line)

    found = replay.contest(table, methods, seeds=seeds, trials=trials, seed=seed, notify=notify)
    page = write(found, root.with_name(f"{table.name}-contest.html"))
    if json_output:
        print(files.to_json({**summarise(found), "report": str(page)}))
        return
    for line in terminal_lines(found):
        print(line)
    print(page)


def write(found: "Contest", page: Path) -> Path:
    """Write the report, with the data of its curves as CSV; returns its path."""
    from harness.contest import page as contest_page  # importing charts takes a second
    from harness.core import files

    files.write_atomically(page, contest_page.render(found, now=files.now()))
    return page


def summarise(found: "Contest") -> dict[str, Any]:
    """The outcome as plain JSON values; accuracies 0 to 1, costs in seconds."""
    from harness.analysis import statistics
    from harness.contest import replay

    comparisons = replay.compared(found)

    def estimate(values: Any) -> dict[str, Any]:
        of = statistics.over_seeds(values)
        low, high = of.interval()
        return {"mean": of.mean, "ci95": None if math.isinf(low) else [low, high]}

    return {
        "table": found.table.name,
        "configurations": len(found.table.trainings),
        "trials": found.trials,
        "seeds": found.seeds,
        "cost": float(found.grid[-1]),
        "metric": found.table.metric.title,
        "best": found.table.best,
        "reference": replay.reference(found).method.label,
        "methods": [
            {
                "method": each.method.label,
                "sampler": each.method.sampler,
                "pruner": each.method.pruner,
                "final": estimate(each.final),
                "by_trials": estimate(each.by_trials),
                "anytime": estimate(each.anytime),
                "cost": estimate(each.cost),
                "pruned": float(each.pruned.mean()),
                "rank": float(each.rank.mean()),
                **(
                    {
                        "difference": comparison.difference,
                        "p": comparison.p,
                        "verdict": comparison.verdict,
                    }
                    if (comparison := comparisons.get(each.method.label))
                    else {}
                ),
            }
            for each in found.outcomes
        ],
        "pruners": {
            pruner: {
                name: {"mean": each.mean, "ci95": list(each.interval())}
                for name, each in estimates.items()
            }
            for pruner, estimates in replay.pruners_compared(found).items()
        },
    }


def terminal_lines(found: "Contest") -> list[str]:
    """The outcome as lines for a terminal, best mean rank first."""
    from harness.contest import replay

    comparisons, metric = replay.compared(found), found.table.metric
    lines = []
    for each in sorted(found.outcomes, key=lambda each: each.rank.mean()):
        comparison = comparisons.get(each.method.label)
        against = (
            f"{metric.with_unit(metric.signed(comparison.difference))}, {comparison.verdict}"
            if comparison
            else "the reference"
        )
        lines.append(
            f"{each.method.label}: mean rank {each.rank.mean():.1f}, during the search "
            f"{metric.text(each.anytime.mean())}, at the end {metric.text(each.final.mean())} "
            f"({against})"
        )
    for pruner, estimates in replay.pruners_compared(found).items():
        lines.append(
            f"{pruner}: saves {100 * estimates['saved'].mean:.0f} % of the time of "
            f"{found.trials} trials, for {metric.difference_text(estimates['lost'].mean)}; at "
            f"equal cost it gains {metric.with_unit(metric.signed(estimates['gained'].mean))}"
        )
    return lines


def _listed(kind: str, text: str, known: list[str]) -> list[str]:
    names = list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
    if not names:
        raise UserError(f"--{kind}s: name one or more of {', '.join(known)}")
    for name in names:
        if name not in known:
            raise unknown(kind, name, known)
    return names


def _table(name: str, runs_directory: Path) -> Path:
    from harness.contest.table import MANIFEST

    for root in (runs_directory / f"{name}-table", Path(name)):
        if (root / MANIFEST).is_file():
            return root
    raise UserError(
        f"no table of {name!r} in {runs_directory}; make one with: harness tabulate {name}"
    )
