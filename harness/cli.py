"""The `harness` console script: the modules' commands as verbs."""

import typer

from harness import export, predict, profile, report, status, study
from harness.console import run

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="How deep should your RNN be? Fair studies of recurrent depth, and what depth costs.",
)
app.command("study", epilog=study.EXAMPLES)(study.study)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("status")(status.status)
app.command("profile", epilog=profile.EXAMPLES)(profile.profile)
app.command("export")(export.export)
app.command("predict")(predict.predict)


@app.command("list")
def list_studies() -> None:
    """List the studies with their questions."""
    from harness import declarations

    study.print_list(declarations.questions(), json_output=False)


def main() -> None:
    run(app, "harness")
