"""`python -m harness` is the same as the `harness` command."""

from harness.commands.main import main

main()
