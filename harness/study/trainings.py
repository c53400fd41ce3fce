"""The trainings of one session: search, then replicates, by the same workers. No Keras."""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace

from rich.console import Console

from harness.analysis import summary
from harness.analysis.parameters import searched_parameters
from harness.core.console import stop
from harness.core.metrics import validation_metric_of
from harness.core.text import counted
from harness.profile.backend_choice import expected_device
from harness.results.records import Records, read_records
from harness.results.run_directory import RunDirectory
from harness.search import baselines, plain_baselines
from harness.search.arm_search import ArmSearch
from harness.search.coordinator import Coordinator
from harness.search.interfaces import Pool
from harness.search.progress import Notebook, Plain, ProgressDisplay, Terminal
from harness.search.replicates import Replicates, replicates_of
from harness.spec.study import Study
from harness.spec.study_files import STUDIES, Declaration
from harness.study.live import LiveClock
from harness.study.options import Options
from harness.workers.local import LocalPool, Settings, default_count


def settings_of(study: Study, declaration: Declaration) -> Settings:
    file = declaration.file
    if file is not None and file.parent == STUDIES:
        file = None  # workers import all of it by themselves
    return Settings(
        backend=study.backend,
        device=study.device,
        threads=study.threads,
        path=study.path,
        study_file=None if file is None else str(file.absolute()),
    )


def worker_count(options: Options, study: Study) -> int:
    """The number in the options; else one for each core, but at most one for each arm.

    With more workers than arms the outcome could not be repeated exactly. On a cluster the default
    is one for each arm: a worker that finds no free node waits for one.
    """
    searches = study.searches_in_all
    if options.ray is not None:
        return options.workers or searches
    return options.workers or min(default_count(study.threads, study.device), searches)


class StudyTrainings:
    """The trainings of one session: the search, then the replicates, by the same workers."""

    def __init__(
        self,
        options: Options,
        name: str,
        study: Study,
        arms: list[ArmSearch],
        directory: RunDirectory,
        settings: Settings,
    ) -> None:
        self._options = options
        self._settings = settings
        self._name = name
        self._study = study
        self._arms = arms
        self._declared = study.searches_in_all
        self._directory = directory
        self._clock = LiveClock(directory.root)

    @property
    def has_more(self) -> bool:
        return any(arm.has_more for arm in self._arms) or self._replicates_left

    @property
    def _replicates_left(self) -> bool:
        if not self._study.replicates:
            return False
        study, directory = self._study, self._directory
        return (
            baselines.bag_candidates(study, directory).has_more
            or bool(plain_baselines.left(study, directory))
            or any(each.has_more for each in self._replicates(read_records(directory.root)))
        )

    def train(self, pool: Pool, replicate: Callable[[], bool] = lambda: True) -> None:
        """All that is left: the searches, then their replicates unless `replicate` says no."""
        if any(arm.has_more for arm in self._arms):
            self._search(pool)
        if self._study.replicates and replicate():
            self._replicate(pool)

    def grow(self, study: Study, arms: list[ArmSearch]) -> None:
        """Go on with more searches or more replicates."""
        self._study, self._arms = study, arms

    @property
    def workers(self) -> int:
        """How many trainings run at once."""
        at_most = len(self._arms) * max(self._study.budget.trials, self._study.replicates)
        return min(worker_count(self._options, self._study), at_most)

    @contextlib.contextmanager
    def open_pool(self) -> Iterator[Pool]:
        """The workers, for as many calls of `train` as are needed."""
        workers = self.workers
        self._announce(workers)
        with self._pool(workers) as pool:
            # Workers take seconds to import what they need; meanwhile the dataset is prepared.
            self._study.dataset.prepare(self._options.notify)
            yield pool

    def _pool(self, workers: int) -> AbstractContextManager[Pool]:
        logs = self._directory.root / "logs"
        if self._options.ray is None:
            return LocalPool(workers, self._settings, logs)
        from harness.workers.ray_pool import RayPool  # importing Ray takes a second

        gpus = self._options.gpus_per_trial
        if gpus is None:
            gpus = 1.0 if self._study.device == "gpu" else 0.0
        return RayPool(self._options.ray, workers, self._settings, logs, gpus=gpus)

    def _announce(self, workers: int) -> None:
        study = self._study
        arms, searches = len(study.arms()), study.independent_searches
        several = f"{searches} independent searches each, of " if searches > 1 else ""
        self._options.notify(
            f"{self._name}: {counted(arms, 'arm')} of {several}"
            f"{study.budget.trials} trials of up to {study.budget.search_epochs} epochs, then "
            f"{study.replicates} replicates of each {'search' if searches > 1 else 'arm'}'s best, "
            f"{counted(workers, 'worker')}, in {self._directory.root}",
        )
        if workers > self._declared:
            self._options.notify(
                "more workers than searches: trials of one search run side by side, and "
                "the outcome can't be repeated exactly",
            )

    def _search(self, pool: Pool) -> None:
        device = self._device_of_groups
        if device is not None:
            for arm in self._arms:
                arm.train_side_by_side(device)
        names = [arm.group for arm in self._arms]
        with self._board(names, self._study.budget.trials, len(pool), "trial") as board:
            for arm in self._arms:
                for trial in arm.finished_trials():
                    board.found(
                        arm.group,
                        arm.state_of(trial),
                        trial.value,
                        trial.user_attrs.get("val_accuracy"),
                    )
            # A round may have fewer searches than there are workers. Trials of one search run side
            # by side only where the user asks for more workers than the study has searches.
            at_once = math.ceil((self._options.workers or 1) / self._declared)
            timeout_s = self._options.trial_timeout
            Coordinator(self._arms, pool, board, stop, timeout_s, at_once).run()

    def _replicate(self, pool: Pool) -> None:
        """Train the baseline's candidates, then all replicates."""
        study, directory = self._study, self._directory
        candidates = baselines.bag_candidates(study, directory)
        if candidates.has_more:
            self._run([candidates], baselines.CANDIDATES, pool, "candidate")
        plain_baselines.write(study, directory)
        replicates = self._replicates(read_records(directory.root))
        if any(each.has_more for each in replicates):
            self._run(replicates, study.replicates * study.dataset.folds, pool, "replicate")

    def _run(self, trainings: Sequence[Replicates], each: int, pool: Pool, noun: str) -> None:
        board = self._board([t.group for t in trainings], each, len(pool), noun)
        board.own_epochs = {t.group: t.epochs for t in trainings}
        run_replicates(trainings, pool, board, self._options.trial_timeout)

    def _replicates(self, records: Records) -> list[Replicates]:
        """For every arm with a complete trial, longest training first; then for the bag."""
        study, directory = self._study, self._directory
        if not study.replicates:
            return []
        arms = {arm.name: arm for arm in study.arms()}
        best = summary.best_of_searches(records)
        best = best.sort_values("train_s", ascending=False, kind="stable")
        ours = {(search.arm.name, search.search) for search in self._arms}
        wanted = {name: records.manifest.replicates_of(name) for name in arms}
        found = [
            replicates_of(
                replace(study, replicates=min(study.replicates, wanted[str(trial["arm"])])),
                arms[str(trial["arm"])],
                int(trial["trial"]),
                searched_parameters(trial),
                directory,
                int(trial["search"]),
            )
            for _, trial in best.iterrows()
            if (str(trial["arm"]), int(trial["search"])) in ours
        ]
        device = self._device_of_groups
        if device is not None:
            for each in found:
                each.train_side_by_side(device)
        return [*found, *baselines.bag_replicates(study, directory)]

    @property
    def _device_of_groups(self) -> str | None:
        """Where trainings may be done side by side; None where they are not.

        A group is the work of one worker: where there are more workers than searches, they would
        wait. The time of a trial is limited as if it were alone. Measured is one core of a CPU.
        """
        options, study = self._options, self._study
        if options.ray is not None or options.trial_timeout is not None:
            return None
        if (options.workers or 1) > self._declared:  # by default there are never more
            return None
        device = expected_device(study)
        return None if device == "cpu" and study.threads > 1 else device

    def _board(self, arms: list[str], each: int, workers: int, noun: str) -> ProgressDisplay:
        budget = self._study.budget
        epochs = budget.search_epochs if noun == "trial" else budget.epochs
        size = (arms, each, workers, epochs)
        quiet, verbose = self._options.quiet, self._options.verbose
        board = board_of(*size, noun=noun, quiet=quiet, verbose=verbose)
        board.clock = self._clock
        board.metric = validation_metric_of(self._directory.read_manifest().dataset)
        return board


def run_replicates(
    trainings: Sequence[Replicates],
    pool: Pool,
    board: ProgressDisplay,
    timeout_s: float | None = None,
) -> None:
    """Train what is left of each; the display counts what was done before."""
    with board:
        for one in trainings:
            for state, number in one.done.items():
                for _ in range(number):
                    board.found(one.group, state, None, None)
        Coordinator(trainings, pool, board, stop, timeout_s).run()


def board_of(
    arms: list[str], each: int, workers: int, epochs: int, *, noun: str, quiet: bool, verbose: bool
) -> ProgressDisplay:
    """The display of running trainings: silent, a live table, a notebook's line, or lines."""
    if quiet:
        return ProgressDisplay(arms, each, workers, epochs, noun=noun)
    if sys.stderr.isatty():
        return Terminal(arms, each, workers, epochs, noun=noun)
    if Console(stderr=True).is_jupyter:
        return Notebook(arms, each, workers, epochs, noun=noun)
    return Plain(arms, each, workers, epochs, noun=noun, verbose=verbose)
