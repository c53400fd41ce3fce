"""A limit of time for the searches of several arms, which end with as many trials each."""

import time
from collections.abc import Sequence
from typing import Protocol


class Limited(Protocol):
    """A search that a limit can end: harness.search.arm_search.ArmSearch."""

    limit: "TrialLimit | None"

    @property
    def begun(self) -> int: ...


class TrialLimit:
    """Ends searches of several arms together: none begins a trial that no other has begun.

    `until` is a time of `time.monotonic()`. From then on the arms only catch up with the one that
    has begun the most trials, so that all have the same number.
    """

    def __init__(self, searches: Sequence[Limited], until: float) -> None:
        self._searches, self._until = searches, until
        self.reached: int | None = None  # the number of trials, once the time is over
        for search in searches:
            search.limit = self

    def at_most(self, trials: int) -> int:
        """The most trials that a search may have: `trials`, as long as there is time."""
        if self.reached is None and time.monotonic() >= self._until:
            self.reached = max([1, *(search.begun for search in self._searches)])
        return trials if self.reached is None else min(trials, self.reached)
