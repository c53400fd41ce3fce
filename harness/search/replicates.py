"""Replicates: each arm's best configuration trained again on fresh seeds. No Keras.

The search picks the best of many noisy trainings, so its result looks better than it is. Every
arm's best configuration is therefore trained again on seeds that the search has not used. The seeds
are the same for every arm, so that differences between arms are paired. Only these models see the
test split, once. A training stops after `Study.patience` epochs without a lower validation loss,
and its best epoch is scored. Where a dataset has no test split, the validation split is used.

Where measurements say that it is faster, those of a search are trained side by side, as a group:
see `harness.training.companions`. Which ones, their folders say from the beginning, since the last
bits of their numbers depend on it.

A replicate is a folder, `replicates/ARM/seed=K/`. It is done when it has a result file. Where a
dataset has folds, it has a training for each, in `fold=F/` within it: see `harness.search.folds`.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.core import files
from harness.core.seeds import derive_seed
from harness.datasets.base.dataset import Dataset
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import (
    KERAS_MODEL,
    STARTED,
    DamagedError,
    check_evidence,
    group_on_file,
    read_result,
    read_training,
    write_result,
    write_started,
)
from harness.search import folds, model_files, score_files
from harness.search.assignment import Assignment, group_name
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Arm, Study
from harness.training import checkpoint
from harness.training.grouping import MOST_MEMBERS, faster_side_by_side
from harness.workers.messages import Group, TestScores, TrainRequest, within_patience


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A planned training: replicate `number`, or a candidate for a baseline.

    `record` has the first fields of its result file: what the training is. With `score` its model
    is scored on the split of the replicates. `whole` is the replicate's folder: `folder` itself, or
    that around the folders of its folds, of which this is number `fold`.
    """

    number: int
    folder: Path
    record: Mapping[str, Any]
    hyperparameters: Hyperparameters
    seed: int
    score: bool
    fold: int = 1
    replicate: int = 1

    @property
    def whole(self) -> Path:
        return self.folder.parent if "fold" in self.record else self.folder


class Replicates:
    """An arm's planned trainings, for the coordinator; those with a result file are done."""

    independent = True

    def __init__(self, study: Study, arm: Arm, planned: Sequence[Planned], search: int = 1) -> None:
        self.arm, self.search = arm, search
        self.group = group_name(arm, search)
        self.done: Counter[str] = Counter()
        self._study = study
        self._planned = {each.number: each for each in planned}
        self._left = []
        self._device: str | None = None  # where they may be trained side by side
        # By number: those that it was begun with; itself, if alone; none, if it was not begun.
        self._group: dict[int, list[int]] = {}
        self._held: dict[int, set[int]] = {}  # by one that is trained: its companions
        for each in planned:
            _move_superseded(each)
            self._join_folds(each)
            found = read_result(each.folder)
            if found is None:
                self._left.append(each.number)
                self._group[each.number] = group_on_file(each.folder, each.number)
            else:
                self.done[str(found["state"])] += 1
                self._group[each.number] = list(found.get("group") or [each.number])
        # A process may have died before it wrote down all of a group; or a file was damaged.
        for group in list(self._group.values()):
            for number in group:
                if not self._group.get(number, group):
                    self._group[number] = group

    @property
    def epochs(self) -> int:
        """The most epochs that each training takes."""
        return self._study.budget.epochs

    def train_side_by_side(self, device: str) -> None:
        """Train what is left as groups, where that is faster on this device."""
        study, signature = self._study, self._study.signature_of(self.arm)
        # Those of folds have different data.
        if study.backend == "jax" and signature.builder is None and study.dataset.folds == 1:
            self._device = device

    def _grouped(self, number: int) -> bool:
        """Whether it is trained in its group. The size of the group alone decides, done or not."""
        members = len(self._group[number])
        if self._device is None or members < 2:
            return False
        hp, signature = self._planned[number].hyperparameters, self._study.signature_of(self.arm)
        return faster_side_by_side(hp, signature, members, device=self._device)

    @property
    def has_more(self) -> bool:
        return bool(self._free)

    @property
    def _free(self) -> list[int]:
        """Those left that no one else trains along."""
        held = set().union(*self._held.values())
        return [number for number in self._left if number not in held]

    def next(self) -> Assignment:
        number = self._free[0]
        planned = self._planned[number]
        if self._device is not None:
            self._begin_group(number)
        self._left.remove(number)
        self._write_started(planned)
        return Assignment(
            arm=self.arm,
            number=planned.number,
            search=self.search,
            params=dict(planned.record["params"]),
            hyperparameters=planned.hyperparameters,
            seed=planned.seed,
            folder=planned.folder,
        )

    def _begin_group(self, number: int) -> None:
        """Hold the others of its group, which may be a new one."""
        if not self._group[number]:
            group = [other for other in self._free if not self._group[other]][:MOST_MEMBERS]
            self._group[number] = group
            if not self._grouped(number):
                self._group[number] = [number]
                return
            for other in group:
                self._group[other] = group
                self._write_started(self._planned[other])
        if self._grouped(number):
            self._held[number] = {n for n in self._group[number] if n in self._left} - {number}

    def _ungroup(self, number: int) -> None:
        """Train it and what is left alone, in later sessions as well."""
        self._held.pop(number, None)
        for each in (number, *self._left):
            self._group[each] = [each]
            self._write_started(self._planned[each])

    def _write_started(self, planned: Planned) -> None:
        group = self._group[planned.number]
        of_group = {"group": group} if len(group) > 1 else {}
        write_started(planned.folder, {**planned.record, **of_group, "started": files.now()})

    def training_request(self, assignment: Assignment) -> TrainRequest:
        planned = self._of(assignment)
        if assignment.attempts > 2 and self._grouped(planned.number):
            self._ungroup(planned.number)  # with companions it may need too much memory
        request = self._request(planned, assignment.task)
        if not self._grouped(planned.number):
            return request
        group, held = self._group[planned.number], self._held.get(planned.number, set())
        others = [
            (place, self._request(self._planned[number], f"{self.group}/{number}"))
            for place, number in enumerate(group)
            if number in held
        ]
        own, patience = group.index(planned.number), self._study.patience
        return replace(request, group=Group(len(group), own, tuple(others), patience))

    def _request(self, planned: Planned, task: str) -> TrainRequest:
        return TrainRequest(
            task=task,
            dataset=self._dataset_of(planned),
            hyperparameters=planned.hyperparameters,
            seed=planned.seed,
            epochs=self.epochs,
            checkpoints=str(planned.folder / "checkpoint"),
            score=score_files.scored_split(self._study) if planned.score else None,
            keep_best=planned.score and self._study.patience is not None,
            model=str(planned.folder / KERAS_MODEL) if self._keeps_model(planned) else None,
            signature=self._study.signature_of(self.arm),
        )

    def report(self, assignment: Assignment, metrics: Mapping[str, float]) -> bool:
        """Whether the training continues: until `patience` epochs without improvement."""
        best, patience = assignment.best_epoch, self._study.patience
        return best is None or within_patience(metrics["epoch"], best["epoch"], patience)

    def end(
        self,
        assignment: Assignment,
        outcome: str,
        reason: str | None = None,
        test: TestScores | None = None,
    ) -> dict[str, Any]:
        """Write scores first and the result file last: where it exists, the training has ended."""
        planned = self._of(assignment)
        self._held.pop(planned.number, None)
        state = "failed" if outcome == "failed" else "complete"
        record = {**planned.record, **assignment.outcome(state, reason)}
        if self._grouped(planned.number):
            # Its share of a group's steps says nothing about the time of its own.
            record |= {"group": self._group[planned.number], "step_ms": None}
        if test is not None:
            record |= {
                "split": score_files.scored_split(self._study),
                **score_files.write(
                    planned.folder,
                    test.scores,
                    test.loss,
                    test.forecasts,
                    self._times(planned),
                    test.measures,
                ),
            }
            if test.predictions is not None:
                score_files.write_predictions(planned.folder, test.predictions)
            if self._keeps_model(planned):
                model_files.write(
                    planned.folder,
                    self._dataset_of(planned),
                    planned.hyperparameters,
                    record,
                    study=self._study,
                )
        write_result(planned.folder, record)
        checkpoint.remove(planned.folder / "checkpoint")
        self.done[state] += 1
        self._join_folds(planned)
        return record

    def suppose_failed(self, assignment: Assignment, reason: str) -> dict[str, Any]:
        """Its record as a failed one; nothing is on file until `end` says so, too."""
        self._held.pop(assignment.number, None)
        return {**self._of(assignment).record, **assignment.outcome("failed", reason)}

    def _dataset_of(self, planned: Planned) -> Dataset:
        return self._study.dataset_of(self.arm).of_fold(planned.fold)

    def _keeps_model(self, planned: Planned) -> bool:
        """One model of each search is kept, for predictions; all of them would fill the disk.

        Of folds it is the last one, which learns from the latest times.
        """
        last = self._study.dataset.folds
        return planned.score and planned.replicate == 1 and planned.fold == last

    def _times(self, planned: Planned) -> list[list[str]]:
        """The times of a forecast that is scored; empty for other tasks."""
        split = score_files.scored_split(self._study)
        return score_files.forecast_times(self._dataset_of(planned), split)

    def _join_folds(self, planned: Planned) -> None:
        if planned.whole != planned.folder:
            folds.join(planned.whole, self._study.dataset.folds)

    def release(self, assignment: Assignment) -> None:
        """Nothing to do: without a result file it is trained again, from its checkpoint."""

    def _of(self, assignment: Assignment) -> Planned:
        return self._planned[assignment.number]


def replicates_of(
    study: Study,
    arm: Arm,
    trial: int,
    params: Mapping[str, Any],
    directory: RunDirectory,
    search: int = 1,
) -> Replicates:
    """The replicates of a search's best trial: number `trial`, with searched values `params`."""
    hyperparameters = study.hyperparameters(arm, params)
    record = {"search": search, "trial": trial, "params": dict(params)}
    return planned_replicates(study, arm, record, hyperparameters, directory)


def planned_replicates(
    study: Study,
    arm: Arm,
    record: Mapping[str, Any],
    hyperparameters: Hyperparameters,
    directory: RunDirectory,
) -> Replicates:
    """Replicates of the search that `record["search"]` names, on seeds that arms share."""
    planned, search = [], int(record["search"])
    last = study.dataset.folds
    for number, fold in itertools.product(range(1, study.replicates + 1), range(1, last + 1)):
        of_search = () if search == 1 else ("search", search)
        seed = derive_seed(study.seed, *of_search, "replicate", number)
        folder = directory.replicate(arm.name, number, search)
        of_fold = {} if last == 1 else {"fold": fold}
        planned.append(
            Planned(
                number=(number - 1) * last + fold,
                folder=folder / f"fold={fold}" if of_fold else folder,
                record={"arm": arm.name, "replicate": number, "seed": seed, **record, **of_fold},
                hyperparameters=hyperparameters,
                seed=seed,
                score=True,
                fold=fold,
                replicate=number,
            )
        )
    return Replicates(study, arm, planned, search)


def _move_superseded(planned: Planned) -> None:
    """Move the folder of another configuration aside: more trials have found a better one."""
    whole = planned.whole
    for folder in dict.fromkeys((whole, planned.folder)):
        try:
            found = read_training(folder)
        except DamagedError:
            continue  # `mend` says what becomes of it
        if found is None or all(
            files.to_json(found.get(name)) == files.to_json(planned.record.get(name))
            for name in ("trial", "params")
        ):
            continue
        trial = found.get("trial")
        mark = f"superseded,{whole.name}" if trial is None else f"{whole.name},trial={trial}"
        _move_aside(whole, mark)
        return


def mend(folder: Path, notify: Callable[[str], None]) -> bool:
    """Move aside a training whose files are lost or damaged: it is trained again, the same.

    Returns whether it had ended. Also remove what a process has left that died between two steps
    of its end. Do the same for each fold.
    """
    ended = _mend_one(folder, notify)
    for fold in folds.of(folder):
        _mend_one(fold, notify)
    return ended


def _mend_one(folder: Path, notify: Callable[[str], None]) -> bool:
    try:
        read_training(folder)
        if (record := read_result(folder)) is None:
            return False
        check_evidence(folder, record)
    except DamagedError as error:
        if folds.of(folder):
            folds.take_apart(folder)
            notify(f"{folder} is made again from its folds ({error})")
            return True
        aside = _move_aside(folder, f"damaged,{folder.name}")
        notify(f"{folder} is trained again ({error}); what was there is now in {aside}")
        return True
    (folder / STARTED).unlink(missing_ok=True)
    checkpoint.remove(folder / "checkpoint")
    return True


def _move_aside(folder: Path, name: str) -> Path:
    again = (f"{name},{number}" for number in itertools.count(2))
    return files.move_aside(folder, itertools.chain([name], again))
