"""The `harness` console script: the modules' commands as verbs."""

from harness import copying, export, predict, profile, report, status, study
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
app.command("copy")(copying.copy)
app.command("predict")(predict.predict)


@app.command("list")
def list_studies() -> None:
    """List the studies with their questions."""
    from harness import declarations

    study.print_list(declarations.questions(), json_output=False)


def main() -> None:
    run(app, "harness")
