"""The verb `harness copy`: a study's trials from one database to another."""

from typing import Annotated

import typer


def copy(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The study, NAME-quick included.")],
    source: Annotated[str, typer.Argument(metavar="FROM", help="URL of the database it is in.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="URL of the database to copy to.")],
) -> None:
    """Copy a study's trials to another database; to continue there, give --storage TO."""
    from harness.search import database
    from harness.search.copy import copy_study

    trials = copy_study(name, source, target)
    print(f"{trials} trials of {name} are now in {database.shown(target)} too")
