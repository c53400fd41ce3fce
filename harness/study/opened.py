"""A study that a session has opened. No Keras."""

from collections.abc import Callable
from dataclasses import dataclass

from harness.results.run_directory import RunDirectory
from harness.search.arm_search import ArmSearch
from harness.spec.study import Arm, Study
from harness.spec.study_files import Declaration


@dataclass(frozen=True)
class Opened:
    """A study whose directory and database are open, with its lock held.

    `new_search` opens search `number` of an arm, in addition to those in `arms`.
    """

    name: str
    declaration: Declaration
    study: Study
    directory: RunDirectory
    arms: list[ArmSearch]
    resumed: bool
    new_search: Callable[[Arm, int], ArmSearch]
