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

from harness.analysis.looks import all_spent, from_record, looks_of, next_look, to_record
from harness.analysis.verdicts import conclude, look_at
from harness.core.errors import UserError
from harness.core.text import counted, plural, seconds
from harness.results import estimates
from harness.results.records import Records, read_records
from harness.search.arm_search import ArmSearch
from harness.search.interfaces import Pool
from harness.search.trial_limit import TrialLimit
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
        self._began = time.monotonic()
        self._limit_s = math.inf if options.time is None else seconds(options.time)

    @property
    def has_more(self) -> bool:
        """Whether anything is left to train, or to look at."""
        if self._trainings.has_more:
            return True
        if not self._options.settle or self._spent:
            return False
        records = read_records(self._directory.root)
        return not records.manifest.looks or bool(self._undecided(records))

    def run(self, afterwards: Callable[[Pool], None] = lambda pool: None) -> None:
        """Train what is left, and go on while something is undecided and there is time.

        `afterwards` gets the workers at the end.
        """
        with self._trainings.open_pool() as pool:
            if self._options.settle and self._study.blocks < LEAST:
                records = read_records(self._directory.root)
                self._grow(LEAST, records.arms, records)
            if self._options.time is None or not self._study.blocks:
                self._trainings.train(pool)
                complete = True
            else:
                complete = self._one_by_one(pool)
            self.look()
            while complete and self._options.settle and self._another_round(pool):
                self.look()
            afterwards(pool)

    def _another_round(self, pool: Pool) -> bool:
        """One more search of what is undecided; False where nothing is, or it may not be."""
        records = read_records(self._directory.root)
        arms = self._undecided(records)
        if not arms:
            return False
        blocks, listed = self._study.blocks, ", ".join(arms)
        why = None
        if blocks >= self._options.max_searches:
            why = f"after {counted(blocks, self._study.unit)}, the most allowed"
        elif self._spent:
            why = "because its looks have used up all false verdicts that are allowed"
        elif self._seconds_of_next(arms, len(pool), records) > self._left_s:
            why = "because another round would take longer than there is time"
        if why is not None:
            self._options.notify(f"not settled ({listed}): stopped {why}")
            return False
        self._options.notify(f"undecided: {listed}; one more {self._study.unit} of each")
        self._grow(blocks + 1, arms, records)
        self._trainings.train(pool)
        return True

    def look(self) -> None:
        """Put the verdicts on record, if the study looks more than once and has more than before.

        What is then shown holds although it was looked at before.
        """
        manifest = self._directory.read_manifest()
        looks, blocks = looks_of(manifest), self._study.blocks
        if not (looks or self._options.settle) or blocks < LEAST:
            return
        if (looks and looks[-1].blocks >= blocks) or self._trainings.has_more or all_spent(looks):
            return  # the verdicts stay those of the last look
        look = next_look(looks, blocks, max(self._options.max_searches, blocks))
        before = [from_record(record) for record in manifest.verdicts]
        verdicts = look_at(read_records(self._directory.root), look, before)
        self._directory.update_manifest(
            looks=[vars(each) for each in (*looks, look)],
            verdicts=[to_record(each) for each in verdicts],
        )

    @property
    def _spent(self) -> bool:
        return all_spent(looks_of(self._directory.read_manifest()))

    @property
    def _left_s(self) -> float:
        return self._limit_s * (1 - KEPT) - (time.monotonic() - self._began)

    def _one_by_one(self, pool: Pool) -> bool:
        """The declared searches, one after another; False where there is no time for all.

        The first that is not complete begins in any case. Where the time ends within it, all arms
        have equal numbers of its trials.
        """
        study, blocks = self._study, self._study.blocks
        began = False
        for number in range(1, blocks + 1):
            part = study.with_blocks(number)
            of_part = [arm for arm in self._arms if arm.search <= part.independent_searches]
            self._trainings.grow(part, of_part)
            if not self._trainings.has_more:
                continue
            if began and self._no_time_for_another(pool):
                fitted = f"{number - 1} of {blocks} {plural(study.unit)}"
                self._cut(study.with_blocks(number - 1), fitted)
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
                self._cut(study.with_blocks(number - 1), f"{fitted}search {number}")
            return False
        self._trainings.grow(study, self._arms)
        return True

    def _no_time_for_another(self, pool: Pool) -> bool:
        records = read_records(self._directory.root)
        return self._seconds_of_next(records.arms, len(pool), records) > self._left_s

    @property
    def _search_share(self) -> float:
        """The share of a search's epochs that its trials take; the rest is its replicates'."""
        budget = self._study.budget
        trials = budget.trials * budget.search_epochs
        return trials / (trials + self._study.replicates * budget.epochs)

    def _cut(self, study: Study, fitted: str) -> None:
        """What fitted becomes the plan; without --time the study goes on to the declared one."""
        self._plan(study, [arm for arm in self._arms if arm.search <= study.independent_searches])
        self._options.notify(
            f"{fitted} fit into {self._options.time}; the same command resumes the study"
        )

    def _seconds_of_next(self, arms: Sequence[str], workers: int, records: Records) -> float:
        """About how long another search (or seed) of these arms takes, by those on record."""
        of = self._blocks_of(records)
        costs = []
        for arm in arms:
            trainings = records.replicates[records.replicates["arm"] == arm]
            spent = float(trainings["train_s"].sum())
            if self._study.search:
                trials = records.trials[records.trials["arm"] == arm]
                spent += float(trials["train_s"].sum())
                trainings = trials.drop_duplicates("search")
            # An arm that was left out has several to make up for.
            missing = max(1, self._study.blocks + 1 - of(arm))
            costs.append(missing * spent / max(1, len(trainings)))
        return max(sum(costs) / workers, *costs, 0.0)

    def _blocks_of(self, records: Records) -> Callable[[str], int]:
        manifest = records.manifest
        return manifest.searches_of if self._study.search else manifest.replicates_of

    def _undecided(self, records: Records) -> list[str]:
        """The arms that another round takes: undecided ones, and those they are compared with."""
        if records.replicates_missing or self._study.blocks < LEAST:
            return records.arms
        return undecided(records)

    def _grow(self, blocks: int, arms: Sequence[str], records: Records) -> None:
        """Plan `blocks` searches or seeds for these arms, and no more than now for the others."""
        of = self._blocks_of(records)
        left_out = {arm: of(arm) for arm in records.arms if arm not in arms}
        study = self._study.with_blocks(blocks)
        there = {(search.arm.name, search.search) for search in self._arms}
        more = [
            self._opened.new_search(arm, number)
            for number in range(1, study.independent_searches + 1)
            for arm in study.arms()
            if arm.name in arms and (arm.name, number) not in there
        ]
        self._plan(study, [*self._arms, *more], left_out=left_out)

    def _plan(self, study: Study, arms: list[ArmSearch], **changes: Any) -> None:
        """Go on with another amount of work than was declared, and put it on record."""
        self._study, self._arms = study, arms
        self._trainings.grow(study, arms)
        estimates.interrupted(self._directory)
        self._directory.update_manifest(spec=study.to_mapping(), **changes)


def check(options: Options, study: Study) -> None:
    """Raise UserError where `--settle` can't settle anything."""
    if not options.settle:
        return
    if not study.replicates:
        raise UserError("--settle: verdicts need replicates; leave --replicates 0 out")
    if study.blocks > options.max_searches:
        raise UserError(
            f"--max-searches {options.max_searches} is lower than the {study.blocks} "
            f"{plural(study.unit)} that the study has; give {study.blocks} or more"
        )


def undecided(records: Records) -> list[str]:
    """The arms without a verdict against the recommended one, and that one itself."""
    found = conclude(records)
    arms = set()
    for arm, reference in found.references.items():
        against = found.between(arm, reference)
        if against is None or against.verdict == "inconclusive":
            arms |= {arm, reference}
    return [arm for arm in records.arms if arm in arms]
