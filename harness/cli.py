"""The `harness` console script: the modules' commands as verbs."""

from typing import Annotated

import typer

from harness import contest, export, importing, predict, profile, report, status, study, tabulate
from harness.console import application, run

app = application(
    no_args_is_help=True,
    help="How deep should your RNN be? Fair studies of recurrent depth, and what depth costs.",
)
app.command("study", epilog=study.EXAMPLES)(study.study)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("status")(status.status)
app.command("profile", epilog=profile.EXAMPLES)(profile.profile)
app.command("export")(export.export)
app.command("predict")(predict.predict)
app.command("import")(importing.import_trials)
app.command("contest", epilog=contest.EXAMPLES)(contest.contest)
app.command("tabulate", epilog=tabulate.EXAMPLES)(tabulate.tabulate)


@app.command("list")
def list_studies() -> None:
    """List the studies with their questions."""
    from harness import declarations

    study.print_list(declarations.questions(), json_output=False)


@app.command("copy")
def copy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The study, NAME-quick included.")],
    source: Annotated[str, typer.Argument(metavar="FROM", help="URL of the database it is in.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="URL of the database to copy to.")],
) -> None:
    """Copy a study's trials to another database; then go on there with --storage TO."""
    from harness import copying, storage

    trials = copying.copy_study(name, source, target)
    print(f"{trials} trials of {name} are now in {storage.shown(target)} too")


def main() -> None:
    run(app, "harness")
