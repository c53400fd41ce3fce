"""Rounds: search after search until the question is settled or the time is over. No Keras.

Without `--settle` and `--time` there is a single round: all searches of all arms side by side. With
`--time` searches come one after another, so that each is complete in every arm before the next one
begins. With `--settle` every round ends with a look at the verdicts (harness.analysis.looks). Arms
that are settled against the recommended one are left out of the next round. Where nothing is
searched a round adds a seed instead of a search.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from harness.analysis.looks import Look, from_record, next_look, to_record
from harness.analysis.statistics import CONFIDENCE
from harness.analysis.verdicts import conclude, look_at
from harness.core import files
from harness.core.errors import UserError
from harness.core.text import seconds
from harness.results import estimates
from harness.results.records import Records, read_records
from harness.search.arm_search import TrialLimit
from harness.search.coordinator import Pool
from harness.spec.study import Study
from harness.study.opened import Opened
from harness.study.options import Options
from harness.study.trainings import StudyTrainings

KEPT = 0.05  # of the time, for the profile and the report
LEAST = 2  # blocks, without which there are no verdicts


class Rounds:
    """The rounds of one session."""

    def __init__(self, options: Options, opened: Opened, trainings: StudyTrainings) -> None:
        self._options, self._opened, self._trainings = options, opened, trainings
        self._study, self._arms = opened.study, opened.arms
        self._directory = opened.directory
        self._searched = bool(opened.study.search)
        self._began = time.monotonic()
        self._limit_s = math.inf if options.time is None else seconds(options.time)

    @property
    def has_more(self) -> bool:
        """Whether anything is left to train, or to look at."""
        if self._trainings.has_more:
            return True
        if not self._options.settle or self._spent:
            return False
        return not self._directory.read_manifest().looks or bool(self._undecided())

    def run(self) -> None:
        """Train what is left, and go on while something is undecided and there is time."""
        with self._trainings.open_pool() as pool:
            if self._options.settle and self._blocks < LEAST:
                self._grow(LEAST, [arm.name for arm in self._study.arms()])
            if self._options.time is None or not self._blocks:
                self._trainings.train(pool)
                complete = True
            else:
                complete = self._one_by_one(pool)
            self.look()
            while complete and self._options.settle and (arms := self._undecided()):
                if self._blocks >= self._options.max_searches:
                    self._say(f"after {self._counted(self._blocks)}, the most allowed")
                    break
                if self._spent:
                    self._say("because its looks have used up all false verdicts that are allowed")
                    break
                if self._seconds_of_next(arms, len(pool)) > self._left_s:
                    self._say("because another round would take longer than there is time")
                    break
                listed = ", ".join(arms)
                self._options.notify(f"undecided: {listed}; one more {self._unit} of each")
                self._grow(self._blocks + 1, arms)
                self._trainings.train(pool)
                self.look()

    def look(self) -> None:
        """Put the verdicts on record, if the study looks more than once and has more than before.

        What is then shown holds although it was looked at before.
        """
        manifest = self._directory.read_manifest()
        looks = [Look(*look) for look in manifest.looks]
        if not (looks or self._options.settle) or self._blocks < LEAST:
            return
        if (looks and looks[-1].blocks >= self._blocks) or self._trainings.has_more or self._spent:
            return  # the verdicts stay those of the last look
        look = next_look(looks, self._blocks, max(self._options.max_searches, self._blocks))
        before = [from_record(record) for record in manifest.verdicts]
        verdicts = look_at(read_records(self._directory.root), look, before)
        self._write(
            looks=[vars(each) for each in (*looks, look)],
            verdicts=[to_record(each) for each in verdicts],
        )

    @property
    def _spent(self) -> bool:
        """Whether the looks have used up all of alpha."""
        looks = self._directory.read_manifest().looks
        return sum(alpha for _, alpha in looks) >= 1 - CONFIDENCE - 1e-9

    @property
    def _unit(self) -> str:
        return "search" if self._searched else "replicate"

    def _counted(self, blocks: int) -> str:
        return f"{blocks} {self._unit if blocks == 1 else self._units}"

    @property
    def _units(self) -> str:
        return "searches" if self._searched else "replicates"

    @property
    def _blocks(self) -> int:
        return _blocks(self._study)

    @property
    def _left_s(self) -> float:
        return self._limit_s * (1 - KEPT) - (time.monotonic() - self._began)

    def _one_by_one(self, pool: Pool) -> bool:
        """The declared searches, one after another; False where there is no time for all.

        The first that is not complete begins in any case. Where the time ends within it, all arms
        have equal numbers of its trials.
        """
        study, blocks = self._study, self._blocks
        began = False
        for number in range(1, blocks + 1):
            part = self._with(study, number)
            of_part = [arm for arm in self._arms if arm.search <= part.independent_searches]
            self._trainings.grow(part, of_part)
            if not self._trainings.has_more:
                continue
            arms = [arm.name for arm in study.arms()]
            if began and self._seconds_of_next(arms, len(pool)) > self._left_s:
                self._cut(self._with(study, number - 1), f"{number - 1} of {blocks} {self._units}")
                return False
            began = True
            open_ones = [arm for arm in of_part if arm.has_more]
            until = time.monotonic() + self._search_share * self._left_s
            limit = TrialLimit(open_ones, until)
            # Of a later search that is cut there are no replicates: it does not count yet.
            self._trainings.train(pool, lambda: number == 1 or limit.reached is None)  # noqa: B023
            if limit.reached is None or limit.reached >= study.budget.trials:
                continue
            fitted = f"{limit.reached} of {study.budget.trials} trials of "
            if number == 1:
                budget = replace(study.budget, trials=limit.reached)
                self._cut(replace(part, budget=budget), f"{fitted}one search")
            else:
                self._cut(self._with(study, number - 1), f"{fitted}search {number}")
            return False
        self._trainings.grow(study, self._arms)
        return True

    def _with(self, study: Study, blocks: int) -> Study:
        if self._searched:
            return replace(study, searches=blocks)
        return replace(study, replicates=blocks)

    @property
    def _search_share(self) -> float:
        """The share of a search's epochs that its trials take; the rest is its replicates'."""
        budget = self._study.budget
        trials = budget.trials * budget.search_epochs
        return trials / (trials + self._study.replicates * budget.epochs)

    def _cut(self, study: Study, fitted: str) -> None:
        """What fitted becomes the plan; without --time the study goes on to the declared one."""
        self._study = study
        self._arms = [arm for arm in self._arms if arm.search <= study.independent_searches]
        self._trainings.grow(study, self._arms)
        estimates.interrupted(self._directory)
        self._write(spec=study.to_mapping())
        self._options.notify(
            f"{fitted} fit into {self._options.time}; the same command resumes the study"
        )

    def _seconds_of_next(self, arms: Sequence[str], workers: int) -> float:
        """About how long another search (or seed) of these arms takes, by those on record."""
        records = read_records(self._directory.root)
        of = self._blocks_of(records)
        costs = []
        for arm in arms:
            trainings = records.replicates[records.replicates["arm"] == arm]
            spent = float(trainings["train_s"].sum())
            if self._searched:
                trials = records.trials[records.trials["arm"] == arm]
                spent += float(trials["train_s"].sum())
                trainings = trials.drop_duplicates("search")
            # An arm that was left out has several to make up for.
            missing = max(1, self._blocks + 1 - of(arm))
            costs.append(missing * spent / max(1, len(trainings)))
        return max(sum(costs) / workers, *costs, 0.0)

    def _blocks_of(self, records: Records) -> Callable[[str], int]:
        manifest = records.manifest
        return manifest.searches_of if self._searched else manifest.replicates_of

    def _undecided(self) -> list[str]:
        """The arms that another round takes: undecided ones, and those they are compared with."""
        records = read_records(self._directory.root)
        if records.replicates_missing or self._blocks < LEAST:
            return [arm.name for arm in self._study.arms()]
        return undecided(records)

    def _grow(self, blocks: int, arms: Sequence[str]) -> None:
        """Plan `blocks` searches or seeds for these arms, and no more than now for the others."""
        records = read_records(self._directory.root)
        of = self._blocks_of(records)
        left_out = {arm: of(arm) for arm in records.arms if arm not in arms}
        self._study = self._with(self._study, blocks)
        if self._searched:
            there = {(search.arm.name, search.search) for search in self._arms}
            self._arms += [
                self._opened.new_search(arm, number)
                for number in range(1, blocks + 1)
                for arm in self._study.arms()
                if arm.name in arms and (arm.name, number) not in there
            ]
        self._trainings.grow(self._study, self._arms)
        estimates.interrupted(self._directory)  # it was of less work
        self._write(spec=self._study.to_mapping(), left_out=left_out)

    def _write(self, **changes: Any) -> None:
        manifest = self._directory.read_manifest()
        files.write_atomically(self._directory.manifest, files.to_json({**manifest, **changes}))

    def _say(self, why: str) -> None:
        listed = ", ".join(self._undecided())
        self._options.notify(f"not settled ({listed}): stopped {why}")


def check(options: Options, study: Study) -> None:
    """Raise UserError where `--settle` can't settle anything."""
    if not options.settle:
        return
    if not study.replicates:
        raise UserError("--settle: verdicts need replicates; leave --replicates 0 out")
    blocks = _blocks(study)
    if blocks > options.max_searches:
        unit = "searches" if study.search else "replicates"
        raise UserError(
            f"--max-searches {options.max_searches} is lower than the {blocks} {unit} that the "
            f"study has; give {blocks} or more"
        )


def _blocks(study: Study) -> int:
    """What verdicts rest on: searches or, where nothing is searched, seeds."""
    return study.independent_searches if study.search else study.replicates


def undecided(records: Records) -> list[str]:
    """The arms without a verdict against the recommended one, and that one itself."""
    found = conclude(records)
    arms = set()
    for arm, reference in found.references.items():
        against = found.between(arm, reference)
        if against is None or against.verdict == "inconclusive":
            arms |= {arm, reference}
    return [arm for arm in records.arms if arm in arms]
