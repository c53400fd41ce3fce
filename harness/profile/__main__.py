from harness.core.signals import exit_at_once


def main() -> None:
    exit_at_once()
    from harness.core.console import run
    from harness.profile.command import app

    run(app, "python -m harness.profile")


main()
