"""Units with which every arm takes the same time for a training step, found by measuring. No Keras.

For a study with `hold={"step_ms": …}`. Each guess is measured by a short training. The guesses for
an arm first enclose the right number of units, then narrow it down. One worker measures, with
nothing else running; with `--quick` the arms are measured side by side, and less closely. The units
found stay in `units.json` of the run directory: measured again they might differ by one, and a
study must not change while it runs.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.core import files
from harness.core.errors import UserError
from harness.core.shapes import mismatch
from harness.results.run_directory import RunDirectory
from harness.search.assignment import Assignment
from harness.spec import checks
from harness.spec.study import MAX_UNITS, Arm, Study
from harness.workers.messages import TestScores, TrainRequest

STEPS, EPOCHS = 30, 3  # of a measurement; the first epoch is a warm-up
TOLERANCE = 0.03  # relative; guessing ends at a step time this near to the declared one
TOLERANCE_IN_QUICK = 0.1
START = 8  # units of the first guess, where those of no other arm are known
MAX_AT_ONCE = 4  # a guess is at most so many times the one before


class StepTimeProbe:
    """The guesses for one arm, one after another, for the coordinator.

    The first guess is `start` units. A step time within `tolerance` (relative) of the declared one
    ends the guessing.
    """

    independent = False

    def __init__(
        self,
        study: Study,
        arm: Arm,
        directory: RunDirectory,
        *,
        start: int = START,
        tolerance: float = TOLERANCE,
    ) -> None:
        self.arm, self.group = arm, arm.name
        self._start, self._tolerance = start, tolerance
        self.done: Counter[str] = Counter()
        self.measured: dict[int, float] = {}
        self._study = study
        self._wanted_ms = float(study.hold["step_ms"])
        self._folder = directory.root / "units" / arm.name
        self._under_way = False

    @property
    def has_more(self) -> bool:
        return not self._under_way and self.guess() is not None

    def guess(self) -> int | None:
        """The units to measure next; None when the nearest ones are found."""
        wanted = self._wanted_ms
        if any(abs(ms / wanted - 1) <= self._tolerance for ms in self.measured.values()):
            return None
        if not self.measured:
            return self._start
        below = [units for units, ms in self.measured.items() if ms < wanted]
        above = [units for units, ms in self.measured.items() if ms >= wanted]
        if not above:
            return self._beyond(sorted(below))
        if not below:
            return min(above) // 2 or None
        low, high = max(below), min(above)
        if high - low < 2:  # noise may even have swapped them
            return None
        return min(max(self._by_power_law(low, high), low + 1), high - 1)

    def _beyond(self, below: list[int]) -> int | None:
        """The next guess where all were too few: twice as many, or what the last two predict."""
        most = below[-1]
        if most >= MAX_UNITS:
            return None
        guess = 2 * most
        if len(below) > 1 and self.measured[below[-2]] < self.measured[most]:
            guess = self._by_power_law(below[-2], most)
        return min(max(guess, most + 1), MAX_AT_ONCE * most, MAX_UNITS)

    def _by_power_law(self, low: int, high: int) -> int:
        """The units at which a power law through two measurements has the declared time."""
        low_ms, high_ms = self.measured[low], self.measured[high]
        share = math.log(self._wanted_ms / low_ms) / math.log(high_ms / low_ms)
        return round(low * math.exp(min(math.log(high / low) * share, math.log(MAX_UNITS))))

    @property
    def units(self) -> int:
        """The measured units nearest to the declared time; raises UserError where none is near."""
        nearest = min(
            self.measured, key=lambda u: abs(math.log(self.measured[u] / self._wanted_ms))
        )
        if not 0.5 < self.measured[nearest] / self._wanted_ms < 2:
            raise UserError(
                f"hold: no number of units gives {self.arm.name} a step of {self._wanted_ms:g} ms; "
                f"{nearest} units take {self.measured[nearest]:.3g} ms"
            )
        return nearest

    def next(self) -> Assignment:
        units = self.guess()
        assert units is not None
        self._under_way = True
        return Assignment(
            arm=self.arm,
            number=units,
            params={"units": units},
            hyperparameters=self._study.hyperparameters(self.arm, {**_first(self._study, self.arm),
                                                                   "units": units}),
            seed=0,
        )  # fmt: skip

    def training_request(self, assignment: Assignment) -> TrainRequest:
        batch = assignment.hyperparameters.batch_size
        return TrainRequest(
            task=assignment.task,
            dataset=self._study.dataset.smaller(train=STEPS * batch, validation=batch, test=0),
            hyperparameters=assignment.hyperparameters,
            seed=0,
            epochs=EPOCHS,
            checkpoints=str(self._folder / f"units={assignment.number}"),
        )

    def report(self, assignment: Assignment, metrics: Mapping[str, float]) -> bool:
        return True

    def end(
        self,
        assignment: Assignment,
        outcome: str,
        reason: str | None = None,
        test: TestScores | None = None,
    ) -> dict[str, Any]:
        self._under_way = False
        if outcome == "failed":
            raise UserError(
                f"hold: {self.arm.name} with {assignment.number} units could not be measured: "
                f"{reason}"
            )
        self.measured[assignment.number] = min(e["step_ms"] for e in assignment.epochs[1:])
        self.done["complete"] += 1
        return assignment.outcome("complete", None)

    def suppose_failed(self, assignment: Assignment, reason: str) -> dict[str, Any]:
        return self.end(assignment, "failed", reason)

    def release(self, assignment: Assignment) -> None:
        """An interrupted measurement is repeated."""
        self._under_way = False


def read_units(study: Study, directory: RunDirectory) -> dict[str, int]:
    """By arm, the units found before; arms that are not measured yet are missing."""
    record = files.read_object(directory.root / "units.json") or {}
    wrong = not files.is_intact(record)
    record.pop(files.SEAL, None)
    wrong = wrong or mismatch(record, {"*": {"units": int}}) is not None
    return {} if wrong else {
        arm.name: record[arm.name]["units"] for arm in study.arms() if arm.name in record
    }  # fmt: skip


def write_units(probes: list[StepTimeProbe], directory: RunDirectory) -> None:
    record = {
        probe.arm.name: {
            "units": probe.units,
            "step_ms": probe.measured[probe.units],
            "measured": dict(sorted(probe.measured.items())),
        }
        for probe in probes
    }
    files.write_atomically(
        directory.root / "units.json", files.to_json(files.sealed(record)) + "\n"
    )


def with_units(study: Study, directory: RunDirectory) -> Study:
    """The study with the units found, as `measured_units`."""
    return replace(study, measured_units=read_units(study, directory))


def _first(study: Study, arm: Arm) -> dict[str, Any]:
    """A value of each searched hyperparameter: none of them changes how long a step takes."""
    return study.space_of(arm).choose(lambda name, distribution: checks.ends(distribution)[0])
