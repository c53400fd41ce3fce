"""Run or resume one study: `python -m harness.study lstm_depth`.

The same command goes on where the last one stopped. See `python -m harness.study --help`.
"""

from pathlib import Path
from typing import Annotated

import typer

from harness.core.console import application

EXAMPLES = """Examples:

\b
  python -m harness.study lstm_depth --quick       a small budget, within a minute or two
  python -m harness.study lstm_depth               the whole study; again to resume
  python -m harness.study my_study.py --trials 20  your own file, more trials per arm
"""

app = application()


@app.command(epilog=EXAMPLES)
def study(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME|FILE.py", help="A study by name, or a study file of yours."),
    ] = None,
    list_studies: Annotated[
        bool, typer.Option("--list", help="List the studies with their questions.")
    ] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="The same question on a small budget, in NAME-quick.")
    ] = False,
    trials: Annotated[
        int | None, typer.Option(help="Trials of each arm in all, finished ones included.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs of a training at most.")] = None,
    replicates: Annotated[
        int | None, typer.Option(help="Trainings of each arm's best on fresh seeds.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Trainings at once.  [default: one a physical core]")
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each worker.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE",
            help="Another dataset, or data of yours: CSV, TSV, JSON Lines, Parquet, .npz, folder.",
        ),
    ] = None,
    text_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the texts.  [default: text]")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column of the labels.  [default: label]")
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="words, characters or keras.  [default: words]"),
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where the dataset's files lie.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(metavar="NAME", help="tensorflow, jax or torch.")
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="auto, cpu or gpu.")] = None,
    path: Annotated[
        str | None, typer.Option(metavar="NAME", help="Force how recurrent layers are executed.")
    ] = None,
    sampler: Annotated[
        str | None, typer.Option(metavar="NAME", help="tpe, random, grid, gp, cmaes, kt-….")
    ] = None,
    pruner: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="median, none, percentile, successive-halving, hyperband or patient.",
        ),
    ] = None,
    warm_start: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Try another study's best configurations first."),
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Optuna database.  [default: study.db in the run's DIR]"),
    ] = None,
    runs: Annotated[Path, typer.Option(metavar="DIR", help="Where run directories lie.")] = Path(
        "runs"
    ),
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Train on a Ray cluster: local, auto, HOST:PORT."),
    ] = None,
    gpus_per_trial: Annotated[
        float | None,
        typer.Option(metavar="N", help="GPUs of each training on the cluster; 0.1 is a tenth."),
    ] = None,
    trial_timeout: Annotated[
        float | None, typer.Option(metavar="S", help="End and fail a trial after S seconds.")
    ] = None,
    profile: Annotated[
        bool, typer.Option(help="Measure what the best configurations cost, at the end.")
    ] = True,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Move the old run directory aside and start anew.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print the outcome as one JSON object.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="More of it.")] = False,
) -> int:
    """Answer a study's question: search, prune, confirm, report; resume where it stopped.

    The report's path is the last line on stdout. Exit codes: 0 done, 1 every trial of some arm
    failed, 2 wrong usage or input, 75 the study is held by another process, 130 and 143 stopped
    by SIGINT and SIGTERM (the same command resumes).
    """
    # Imported here so that --help and --list come at once.
    from harness.spec import study_files

    if list_studies:
        print_list(study_files.questions(), json_output)
        return 0
    if name is None:
        raise typer.BadParameter("name a study; --list shows them.", param_hint="NAME")
    from harness.study import session
    from harness.study.options import Options

    options = Options(**{
        key: value
        for key, value in context.params.items()
        if key not in ("context", "list_studies")
    })  # fmt: skip
    return session.run(options)


def print_list(questions: dict[str, str], json_output: bool) -> None:
    if json_output:
        from harness.core.files import to_json

        print(to_json({"studies": [{"study": n, "question": q} for n, q in questions.items()]}))
        return
    width = max(map(len, questions), default=0)
    for name, question in questions.items():
        print(f"{name:{width}}  {question}")
