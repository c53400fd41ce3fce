"""The verbs of the `harness` console script: the modules' commands under one name."""

from harness import report
from harness.commands import cache, claims, copy, export, log, predict, rename, status
from harness.contest import command as contest
from harness.contest import tabulate
from harness.core.console import application
from harness.integrations import import_trials
from harness.profile import command as profile
from harness.study import command as study

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
app.command("log")(log.log)
app.command("import")(import_trials.import_trials)
app.command("contest", epilog=contest.EXAMPLES)(contest.contest)
app.command("claims", epilog=claims.EXAMPLES)(claims.claims)
app.command("copy")(copy.copy)
app.command("rename")(rename.rename)
app.command("remove")(rename.remove)
app.command("cache")(cache.cache)
app.command("tabulate", epilog=tabulate.EXAMPLES)(tabulate.tabulate)


@app.command("list")
def list_studies() -> None:
    """List the studies with their questions."""
    from harness.spec import study_files

    study.print_list(study_files.questions(), json_output=False)
