from harness.contest.command import app
from harness.core.console import run

run(app, "python -m harness.contest")
