"""The search inside one arm: suggest, report, prune and tell, so that a resume repeats it exactly.

Two things make an interrupted search equal to an uninterrupted one. First, each trial has a new
sampler, whose seed is derived from study seed, arm and trial number. So it does not matter how many
suggestions a process has made before. Second, a trial that was running when the process died keeps
its number. Its hyperparameters are read back; where the process died while it stored them, they
are suggested again from the same seed and history. Its training continues from its checkpoint, with
the same result, bit for bit, as without the interruption.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial, Trial, TrialState

from harness import pruners, samplers
from harness.core.optuna_private import seen_by_sampler, stored_trial, trial_id, unstored_trial
from harness.core.seeds import derive_seed
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import RESULT, write_result, write_started
from harness.search.assignment import Assignment, group_name
from harness.search.database import Database, user_errors
from harness.search.trial_files import ATTRIBUTES, OTHERS, STATES, start_record, write_trial
from harness.search.trial_groups import TrialGroups
from harness.search.trial_limit import TrialLimit
from harness.search.trial_store import TrialStore
from harness.spec import counts
from harness.spec.hyperparameters import Hyperparameters
from harness.spec.study import Arm, Study
from harness.training import checkpoint
from harness.workers.messages import Group, TestScores, TrainRequest

UNFINISHED = (TrialState.RUNNING, TrialState.WAITING)
# How a worker says that a training ended → how Optuna does.
ENDS = {
    "complete": TrialState.COMPLETE,
    "halted": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


class ArmSearch:
    """One search of an arm as its own Optuna study, minimising validation loss.

    The first search of an arm is `NAME/depth=2`, the others are `NAME/depth=2/search=3`. They are
    independent: each has its own seed and sees its own trials only. With `shared` the seed does
    not depend on the arm, so that search 3 of every arm tries the same configurations as far as
    the sampler allows. Run directories of older versions have seeds that depend on the arm.
    """

    def __init__(
        self,
        name: str,
        study: Study,
        arm: Arm,
        database: Database,
        directory: RunDirectory,
        search: int = 1,
        shared: bool = True,
    ) -> None:
        self.arm = arm
        self.search = search
        self.group = group_name(arm, search)
        self._seed_parts: tuple[object, ...] = (study.seed, "search", search)
        if not shared and search == 1:
            self._seed_parts = (study.seed, arm.name)
        # Trainings of two arms with the same configuration differ in their seeds.
        self._training_seed = (study.seed, arm.name, *(() if search == 1 else ("search", search)))
        self.limit: TrialLimit | None = None
        self.independent = False  # a trial's suggestion depends on the trials before it
        self._study = study
        self._directory = directory
        self._space = study.space_of(arm)
        pruner = pruners.make(study.pruner, epochs=study.budget.search_epochs)
        self._store = TrialStore(database, f"{name}/{optuna_name(arm, search)}", pruner)
        self._optuna, self._storage = self._store.study, self._store.memory
        self._under_way: dict[int, Trial] = {}
        self._groups: TrialGroups | None = None
        trials = self.trials()
        self._unfinished = [trial.number for trial in trials if trial.state in UNFINISHED]
        self._created = len(trials)
        self.done = Counter(STATES[trial.state] for trial in trials if trial.state in STATES)

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the spec that the database's trials belong to."""
        value: str | None = self._store.user_attrs.get("fingerprint")
        return value

    def claim(self, fingerprint: str) -> None:
        """Put on record which spec the trials belong to, and what their value is."""
        self._store.set_user_attr("fingerprint", fingerprint)
        self._store.name_metric("val_loss")

    @property
    def begun(self) -> int:
        """How many trials have begun, finished ones included."""
        return self._created

    def finished_trials(self) -> list[FrozenTrial]:
        return [trial for trial in self.trials() if trial.state in STATES]

    @staticmethod
    def state_of(trial: FrozenTrial) -> str:
        return STATES[trial.state]

    def enqueue(self, configurations: Sequence[Mapping[str, Any]]) -> None:
        """Try these configurations first; the sampler draws the values that they leave out.

        Configurations that an earlier process has enqueued are not enqueued again.
        """
        for params in configurations[self._created : self._study.budget.trials]:
            self._optuna.enqueue_trial(dict(params))
            self._store.write(self._created)
            self._unfinished.append(self._created)
            self._created += 1

    def import_trial(
        self,
        source: str,
        params: Mapping[str, Any],
        value: float,
        val_accuracy: float | None,
        epochs: Mapping[int, float],
    ) -> bool:
        """Add a finished trial from elsewhere; False where `source` was imported before.

        `value` is its lowest validation loss, `epochs` has the losses by epoch, from 1.
        """
        if any(trial.user_attrs.get("imported") == source for trial in self.trials()):
            return False
        hyperparameters = self._study.hyperparameters(self.arm, params)
        signature = self._study.signature_of(self.arm)
        own = signature.builder is not None
        known: dict[str, Any] = {
            "val_accuracy": val_accuracy,
            "parameters": None if own else counts.parameters(hyperparameters, signature),
            "imported": source,
        }
        self._optuna.add_trial(
            optuna.trial.create_trial(
                state=TrialState.COMPLETE,
                value=value,
                params=dict(params),
                distributions={name: self._space[name] for name in params},
                intermediate_values=dict(epochs),
                user_attrs={name: each for name, each in known.items() if each is not None},
            )
        )
        number = self._created
        with user_errors(str(self._directory.root)):
            # The database first: files that a crash has cut off are written again from it.
            self._store.write(number)
            write_trial(self.folder(number), self, self.trials()[number])
        self._created += 1
        self.done["complete"] += 1
        return True

    @property
    def has_more(self) -> bool:
        """Whether a trial is left to start; running trials count as started."""
        most = self._study.budget.trials
        if self.limit is not None:
            most = self.limit.at_most(most)
        return bool(self._unfinished) or self._created < most

    def next(self) -> Assignment:
        """The next trial: first those that an earlier process left unfinished, then new ones."""
        if self._unfinished:
            frozen = self.trials()[self._unfinished.pop(0)]
            if frozen.state == TrialState.WAITING:
                self._storage.set_trial_state_values(trial_id(frozen), TrialState.RUNNING)
            self._optuna.sampler = self._sampler(frozen.number)
            trial = Trial(self._optuna, trial_id(frozen))
        else:
            self._optuna.sampler = self._sampler(self._created)
            trial = self._optuna.ask()
            self._created += 1
        params = self._suggest(trial)
        self._store.write(trial.number)
        self._under_way[trial.number] = trial
        assignment = Assignment(
            arm=self.arm,
            number=trial.number,
            params=self.shown_params(params),
            hyperparameters=self._study.hyperparameters(self.arm, params),
            search=self.search,
            seed=self._seed(trial.number),
            folder=self.folder(trial.number),
        )
        folder = self.folder(trial.number)
        # Of a process that died before the database had the trial's end: it repeats.
        (folder / RESULT).unlink(missing_ok=True)
        write_started(folder, start_record(assignment, self._group(trial.number)))
        return assignment

    def train_side_by_side(self, device: str) -> None:
        """Train trials along whose suggestions need no result, where that is faster there."""
        if self._study.backend != "jax":
            return
        self._groups = TrialGroups(self._study, self, device, self._hyperparameters)

    def _group(self, number: int) -> list[int]:
        return [number] if self._groups is None else self._groups.of(number)

    def shown_params(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """What a record says of these searched values: also the units that follow from `hold`."""
        if not self._study.hold:
            return dict(params)
        return {**params, "units": self._study.hyperparameters(self.arm, params).units}

    def training_request(self, assignment: Assignment) -> TrainRequest:
        """The request for a worker. The trial's checkpoints are deleted when it ends."""
        number, hp = assignment.number, assignment.hyperparameters
        if self._groups is not None and assignment.attempts > 2:
            self._groups.dissolve(number)  # with companions it may need too much memory
        request = self._request(number, hp, self._epochs(assignment))
        group = self._group(number)
        if self._groups is None or len(group) == 1:
            return request
        others = tuple(
            (place, self._request(other, self._groups.hyperparameters(other), request.epochs))
            for place, other in enumerate(group)
            if other != number and not self._ended(other)
        )
        return replace(request, group=Group(len(group), group.index(number), others, None))

    def _request(self, number: int, hp: Hyperparameters, epochs: int) -> TrainRequest:
        return TrainRequest(
            task=f"{self.group}/{number}",
            dataset=self._study.dataset_of(self.arm),
            hyperparameters=hp,
            seed=self._seed(number),
            epochs=epochs,
            checkpoints=str(self.folder(number) / "checkpoint"),
            signature=self._study.signature_of(self.arm),
        )

    def _ended(self, number: int) -> bool:
        return number < self._created and self.trials()[number].state in STATES

    def _seed(self, number: int) -> int:
        """Of a trial's training."""
        return derive_seed(*self._training_seed, number, "training")

    def report(self, assignment: Assignment, metrics: Mapping[str, float]) -> bool:
        """Tell Optuna of an epoch; whether the training continues. Both losses must be finite."""
        epoch = int(metrics["epoch"])
        before = dict(self._frozen(assignment).intermediate_values)
        if epoch not in before:
            self._under_way[assignment.number].report(metrics["val_loss"], epoch)
            self._store.write_epochs(assignment.number)
        elif before[epoch] != metrics["val_loss"]:
            # Trained again without its checkpoint, where that gives other numbers, as on a GPU.
            identity = trial_id(self._under_way[assignment.number])
            self._storage.set_trial_intermediate_value(identity, epoch, metrics["val_loss"])
        # About every epoch before the last one on record, the process that died has asked the
        # pruner already, and did not prune. Asked again, the pruner would see the later epochs too.
        if before and epoch < max(before):
            return True
        last = epoch >= self._epochs(assignment)
        return last or not self._under_way[assignment.number].should_prune()

    def release(self, assignment: Assignment) -> None:
        """Leave a trial for the next process: WAITING, since it no longer runs."""
        # It may have ended in memory while the database could not be written.
        if not self._frozen(assignment).state.is_finished():
            trial = self._under_way[assignment.number]
            self._storage.set_trial_state_values(trial_id(trial), TrialState.WAITING)
        self._store.write(assignment.number)

    def end(
        self,
        assignment: Assignment,
        outcome: str,
        reason: str | None = None,
        test: TestScores | None = None,
    ) -> dict[str, Any]:
        """Write the result file, then tell Optuna: after a crash between them the trial repeats.

        `outcome` is complete, halted (pruned) or failed; a failed trial has a `reason`.
        """
        state = ENDS[outcome]
        record = self._record(assignment, STATES[state], reason)
        folder = self.folder(assignment.number)
        write_result(folder, record)
        self._end_in_memory(assignment, state, record)
        self._store.write(assignment.number)
        checkpoint.remove(folder / "checkpoint")
        del self._under_way[assignment.number]
        return record

    def suppose_failed(self, assignment: Assignment, reason: str) -> dict[str, Any]:
        """Go on as if the trial had failed, with nothing on file until `end` says so, too.

        A process that ends before that leaves the trial to the next one.
        """
        state = TrialState.FAIL
        record = self._record(assignment, STATES[state], reason)
        self._end_in_memory(assignment, state, record)
        return record

    def _record(self, assignment: Assignment, state: str, reason: str | None) -> dict[str, Any]:
        """What its result file says."""
        group = self._group(assignment.number)
        record = {**start_record(assignment, group), **assignment.outcome(state, reason)}
        # Its share of a group's steps says nothing about the time of its own.
        return record if len(group) == 1 else {**record, "step_ms": None}

    def _end_in_memory(
        self, assignment: Assignment, state: TrialState, record: Mapping[str, Any]
    ) -> None:
        """Tell Optuna, once."""
        trial = self._under_way[assignment.number]
        if self._frozen(assignment).state.is_finished():
            return
        for name in (*ATTRIBUTES, *OTHERS):
            if record.get(name) is not None:
                trial.set_user_attr(name, record[name])
        self._optuna.tell(
            trial, values=record["value"] if state == TrialState.COMPLETE else None, state=state
        )
        self.done[STATES[state]] += 1

    def _suggest(self, trial: Trial) -> dict[str, Any]:
        """All hyperparameters that apply to a trial, all drawn before the first is stored.

        Optuna's own `suggest` stores each as it is drawn. A process killed between two of them
        would leave a trial whose other values are then drawn differently. Enqueued values are kept.
        """
        frozen = stored_trial(self._optuna, trial)
        for name, value in self._drawn(frozen, self._optuna.sampler).items():
            distribution = self._space[name]
            self._storage.set_trial_param(
                trial_id(trial), name, distribution.to_internal_repr(value), distribution
            )
        # Read back, so that a first attempt and a resumed one train with the same values.
        return dict(stored_trial(self._optuna, trial).params)

    def _drawn(self, frozen: FrozenTrial, sampler: optuna.samplers.BaseSampler) -> dict[str, Any]:
        """What a sampler suggests for a trial."""
        study = seen_by_sampler(self._optuna, frozen)
        relative = sampler.sample_relative(
            study, frozen, sampler.infer_relative_search_space(study, frozen)
        )
        enqueued = frozen.system_attrs.get("fixed_params", {})

        def value_of(name: str, distribution: BaseDistribution) -> Any:
            drawn = (
                relative[name]
                if name in relative
                else sampler.sample_independent(study, frozen, name, distribution)
            )
            return enqueued.get(name, drawn)

        return self._space.choose(value_of)

    def _hyperparameters(self, number: int) -> Hyperparameters:
        """Of a trial, also of one that has not begun."""
        known = self.trials()[number] if number < self._created else None
        if known is not None and known.params:
            params = dict(known.params)
        else:
            params = self._drawn(known or unstored_trial(number), self._sampler(number))
        return self._study.hyperparameters(self.arm, params)

    def _sampler(self, number: int) -> optuna.samplers.BaseSampler:
        return samplers.make(
            self._study.sampler,
            self._space,
            seed=derive_seed(*self._seed_parts, number, "sampler"),
            arm_seed=derive_seed(*self._seed_parts, "sampler"),
            epochs=self._study.budget.search_epochs,
        )

    def _epochs(self, assignment: Assignment) -> int:
        """The study's epochs, unless the sampler has set the trial's own (Hyperband does)."""
        own = self._frozen(assignment).system_attrs.get(samplers.EPOCHS)
        return self._study.budget.search_epochs if own is None else int(own)

    def folder(self, number: int) -> Path:
        """The folder of a trial's files."""
        return self._directory.trial(self.arm.name, number, self.search)

    def trials(self) -> list[FrozenTrial]:
        """All trials, by number."""
        return self._optuna.get_trials(deepcopy=False)

    def _frozen(self, assignment: Assignment) -> FrozenTrial:
        return stored_trial(self._optuna, self._under_way[assignment.number])


def optuna_name(arm: Arm, search: int) -> str:
    """The name of a search's Optuna study, after the study's own name and a slash."""
    return arm.name if search == 1 else f"{arm.name}/search={search}"
