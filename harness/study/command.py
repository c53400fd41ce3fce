"""Run or resume one study: `python -m harness.study lstm_depth`.

The same command resumes an interrupted study. See `python -m harness.study --help`.
"""

import os
from typing import Annotated, Any

import typer

from harness.core.console import application
from harness.core.environment import COMPILE_CACHE
from harness.study.options import Options, takes_options

EXAMPLES = """Examples:

\b
  python -m harness.study lstm_depth --quick       a small budget, within a minute or two
  python -m harness.study lstm_depth               the whole study; again to resume
  python -m harness.study my_study.py --trials 20  your own file, more trials per arm
"""

app = application()


@app.command(epilog=EXAMPLES)
@takes_options
def study(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME|FILE.py", help="A study by name, or a study file of yours."),
    ] = None,
    list_studies: Annotated[
        bool, typer.Option("--list", help="List the studies with their questions.")
    ] = False,
    **values: Any,
) -> int:
    """Answer a study's question: search, prune, replicate, report; resume where it stopped.

    The report's path is the last line on stdout. Exit codes: 0 done, 1 every trial of some arm
    failed, 2 wrong usage or input, 75 another process runs the study, 130 and 143 stopped
    by SIGINT and SIGTERM (the same command resumes).
    """
    # Imported here so that --help and --list are instant.
    from harness.spec import study_files

    if list_studies:
        print_list(study_files.questions(), values["json_output"])
        return 0
    if name is None:
        raise typer.BadParameter("name a study; --list shows them.", param_hint="NAME")
    from harness.study import session

    if not values["compile_cache"]:
        os.environ[COMPILE_CACHE] = "off"  # for all processes that this one starts
    return session.run(Options(name=name, **values))


def print_list(questions: dict[str, str], json_output: bool) -> None:
    if json_output:
        from harness.core.files import to_json

        print(to_json({"studies": [{"study": n, "question": q} for n, q in questions.items()]}))
        return
    width = max(map(len, questions), default=0)
    for name, question in questions.items():
        print(f"{name:{width}}  {question}")
