"""The verbs of the `harness` console script: the modules' commands under one name."""

import re
from typing import Annotated

import typer

from harness import report
from harness.commands import cache, claims, copy, export, log, predict, rename, status
from harness.contest import command as contest
from harness.contest import tabulate
from harness.core.console import application
from harness.integrations import import_trials
from harness.profile import command as profile
from harness.study import command as study


def _examples(text: str) -> str:
    """Examples of a module as those of a verb; what stands beside them stays in its column."""
    text = re.sub(r"python -m harness\.(.*?)  ", r"harness \1            ", text)
    return re.sub(r"python -m harness\.", "harness ", text)


app = application()


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """How deep should your RNN be? Fair studies of recurrent depth, and what depth costs."""
    if version:
        from harness import __version__

        print(f"harness {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


app.command("study", epilog=_examples(study.EXAMPLES))(study.study)
app.command("report", epilog=_examples(report.EXAMPLES))(report.report)
app.command("status")(status.status)
app.command("profile", epilog=_examples(profile.EXAMPLES))(profile.profile)
app.command("export")(export.export)
app.command("predict")(predict.predict)
app.command("log")(log.log)
app.command("import")(import_trials.import_trials)
app.command("contest", epilog=_examples(contest.EXAMPLES))(contest.contest)
app.command("claims", epilog=_examples(claims.EXAMPLES))(claims.claims)
app.command("copy")(copy.copy)
app.command("rename")(rename.rename)
app.command("remove")(rename.remove)
app.command("cache")(cache.cache)
app.command("tabulate", epilog=_examples(tabulate.EXAMPLES))(tabulate.tabulate)


@app.command("list")
def list_studies() -> None:
    """List the studies with their questions."""
    from harness.spec import study_files

    study.print_list(study_files.questions(), json_output=False)
