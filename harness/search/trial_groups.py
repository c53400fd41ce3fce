"""Which trials of a search are trained side by side with another one. No Keras.

A trial's companions are later trials of the same search with the same compiled program. They are
those that the sampler suggests without a look at any result, so it is known beforehand what they
will be. Nothing else about the search changes: each trial is still suggested, reported, pruned and
ended in its turn, when it finds the checkpoint that it has as a companion. A companion is trained
as long as the trial that was asked for. What it then has too much, because it is pruned in its
turn, is dropped.
"""

from collections.abc import Callable

from harness import samplers
from harness.results.training_folder import group_on_file
from harness.search.trial_files import STATES, Search
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Study
from harness.training.grouping import MOST_MEMBERS, faster_side_by_side
from harness.training.recurrent import choose_path
from harness.training.same_program import why_alone


class TrialGroups:
    """The groups of one search, where groups are faster on a device.

    `drawn` gives the hyperparameters of a trial by its number, also of one that has not begun. A
    trial that has begun stays in the group that its files name, or alone.
    """

    def __init__(
        self,
        study: Study,
        search: Search,
        device: str,
        drawn: Callable[[int], Hyperparameters],
    ) -> None:
        self._study, self._device, self._drawn = study, device, drawn
        self._signature = study.signature_of(search.arm)
        self._groups: dict[int, list[int]] = {}
        for trial in search.trials():
            number = trial.number
            if trial.state in STATES:
                self._groups[number] = trial.user_attrs.get("group") or [number]
            elif group := group_on_file(search.folder(number), number):
                self._groups[number] = group
        self._hyperparameters: dict[int, Hyperparameters] = {}

    def of(self, number: int) -> list[int]:
        """The group of a trial, by number; the trial alone, if it has none."""
        if number not in self._groups:
            known = [group for group in self._groups.values() if number in group]
            self._groups[number] = known[0] if known else self._new(number)
        return self._groups[number]

    def hyperparameters(self, number: int) -> Hyperparameters:
        if number not in self._hyperparameters:
            self._hyperparameters[number] = self._drawn(number)
        return self._hyperparameters[number]

    def dissolve(self, number: int) -> None:
        """Train a trial, and those of its group that come after it, alone."""
        for other in self.of(number):
            if other >= number:
                self._groups[other] = [other]

    def _new(self, number: int) -> list[int]:
        study, signature = self._study, self._signature
        taken = set().union(*self._groups.values())
        known = min(study.budget.trials, samplers.startup_trials(study.sampler))
        group, hp = [number], self.hyperparameters(number)
        path = study.path or choose_path(hp, device=self._device, backend=study.backend)
        for other in range(number + 1, int(known)):
            if other not in taken and len(group) < MOST_MEMBERS:
                both = [hp, self.hyperparameters(other)]
                if why_alone(both, signature, path) is None:
                    group.append(other)
        members = len(group)
        if members > 1 and faster_side_by_side(hp, signature, members, device=self._device):
            return group
        return [number]
