from harness.core.console import run
from harness.profile.command import app

run(app, "python -m harness.profile")
