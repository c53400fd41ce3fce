"""The `harness` console script."""

from harness.core.signals import exit_at_once


def main() -> None:
    exit_at_once()
    from harness.commands.verbs import app
    from harness.core.console import SCRIPT, run

    run(app, SCRIPT)


if __name__ == "__main__":
    main()
