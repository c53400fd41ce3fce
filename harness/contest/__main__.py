from harness.core.signals import exit_at_once


def main() -> None:
    exit_at_once()
    from harness.contest.command import app
    from harness.core.console import run

    run(app, "python -m harness.contest")


main()
