from harness.core.console import run
from harness.study.command import app

run(app, "python -m harness.study")
