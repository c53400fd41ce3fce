"""The coordinator, with a pool that computes its losses: order, pruning, failures, resume."""

import itertools
import json
import random
import signal
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
from toys import ToyPool, losses, outcomes, run_search, toy_study

from harness import Budget, pruners, samplers
from harness.core.errors import UserError
from harness.core.optuna_private import trial_id
from harness.core.signals import Stopped, StopRequest
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.search import coordinator
from harness.workers.messages import (
    Continue,
    Died,
    Down,
    EpochDone,
    Failed,
    TrainRequest,
    Unable,
    Up,
)

INSTALLED = [name for name in samplers.names() if name != "gp"]


class Crash(BaseException):
    """Stands for the end of the process: nothing after it runs."""


@pytest.fixture
def directory(ram_path: Path) -> RunDirectory:
    return RunDirectory(ram_path / "toy")


@pytest.fixture(autouse=True)
def run_root(ram_path: Path) -> None:
    (ram_path / "toy").mkdir()


def test_every_arm_gets_its_trials_and_files(directory: RunDirectory) -> None:
    arms = run_search(directory, toy_study(), ToyPool())
    for arm in arms:
        assert arm.done.total() == 6
        for trial in arm.finished_trials():
            folder = directory.trial(arm.arm.name, trial.number)
            result = json.loads((folder / "result.json").read_text())
            assert result["params"] == trial.params
            assert result["state"] == arm.state_of(trial)
            epochs = (folder / "metrics.jsonl").read_text().splitlines()
            assert len(epochs) == len(trial.intermediate_values)
            assert not (folder / "started.json").exists()


def test_intermediate_steps_count_from_1_and_the_value_is_the_best_epoch(
    directory: RunDirectory,
) -> None:
    arms = run_search(directory, toy_study(pruner="none"), ToyPool())
    for trial in arms[0].finished_trials():
        assert list(trial.intermediate_values) == [1, 2, 3, 4]
        assert trial.value == min(trial.intermediate_values.values())
        best = trial.user_attrs["best_epoch"]
        assert trial.intermediate_values[best] == trial.value
        assert set(trial.user_attrs) == {
            "val_accuracy", "best_epoch", "parameters", "step_ms", "train_s", "path", "seed",
            "worker",
        }  # fmt: skip


def test_the_worker_of_each_trial_is_on_file(directory: RunDirectory) -> None:
    """Of an interrupted trial it is the last one, on whatever node that is."""

    @dataclass
    class Node(ToyPool):
        node: str = ""

        def name(self, worker: int) -> str:
            return f"{self.node}/{worker}"

    def crashing(request: TrainRequest) -> list[float]:
        if request.task == "depth=2/3":
            raise Crash
        return losses(request)

    with pytest.raises(Crash):
        run_search(directory, toy_study(), Node(2, curve=crashing, node="a"))
    assert (directory.trial("depth=2", 3) / "started.json").exists()
    arms = run_search(directory, toy_study(), Node(2, node="b"))
    workers = {}
    for arm in arms:
        workers[arm.arm.name] = [t.user_attrs["worker"] for t in arm.finished_trials()]
        for number, name in enumerate(workers[arm.arm.name]):
            result = directory.trial(arm.arm.name, number) / "result.json"
            assert json.loads(result.read_text())["worker"] == name
    assert [name[0] for name in workers["depth=2"]] == ["a"] * 3 + ["b"] * 3
    assert {*workers["depth=1"]} | {*workers["depth=2"]} == {"a/0", "a/1", "b/0", "b/1"}


def test_the_median_pruner_prunes_and_never_at_the_last_epoch(directory: RunDirectory) -> None:
    arms = run_search(directory, toy_study(budget=Budget(trials=20, epochs=4)), ToyPool())
    pruned = [t for arm in arms for t in arm.finished_trials() if t.state.name == "PRUNED"]
    assert pruned
    assert all(1 < len(trial.intermediate_values) < 4 for trial in pruned)


def test_the_number_of_workers_up_to_the_arms_does_not_matter(ram_path: Path) -> None:
    study = toy_study(compare={"depth": [1, 2, 3, 4]})
    found = []
    for count in (1, 2, 4):
        root = RunDirectory(ram_path / f"workers-{count}")
        root.root.mkdir()
        shuffled = random.Random(count)
        pool = ToyPool(count, order=lambda w, r=shuffled: r.sample(w, len(w)))
        found.append(outcomes(run_search(root, study, pool)))
    assert found[0] == found[1] == found[2]


def test_more_workers_than_arms_still_give_every_trial_once(directory: RunDirectory) -> None:
    arms = run_search(directory, toy_study(), ToyPool(6))
    for arm in arms:
        assert [trial.number for trial in arm.finished_trials()] == list(range(6))


def test_arms_share_their_configurations_and_searches_do_not(directory: RunDirectory) -> None:
    """As far as the sampler allows: all of `random`, the first four of `tpe`."""
    for sampler, shared in (("random", 6), ("tpe", 4), ("qmc", 6)):
        study = toy_study(sampler=sampler, searches=2)
        own = RunDirectory(directory.root / sampler)
        own.root.mkdir(parents=True)
        one, two, other, _ = run_search(own, study, ToyPool())
        assert (one.arm.name, one.search) == ("depth=1", 1)
        assert (other.arm.name, other.search) == ("depth=1", 2)
        first, second, third = (
            [trial.params for trial in search.finished_trials()] for search in (one, two, other)
        )
        assert first[:shared] == second[:shared]
        assert all(a != b for a, b in zip(first, third, strict=True))


@pytest.mark.parametrize("sampler", INSTALLED)
def test_a_search_cut_at_any_trial_ends_as_an_uncut_one(ram_path: Path, sampler: str) -> None:
    _assert_cuts_do_not_matter(ram_path, toy_study(sampler=sampler))


@pytest.mark.parametrize("pruner", pruners.names())
def test_every_pruner_decides_the_same_after_a_cut(ram_path: Path, pruner: str) -> None:
    if pruner == "median":
        pytest.skip("every sampler's test above prunes by the median")
    _assert_cuts_do_not_matter(ram_path, toy_study(pruner=pruner))


def _assert_cuts_do_not_matter(ram_path: Path, study) -> None:  # type: ignore[no-untyped-def]
    whole = RunDirectory(ram_path / "whole")
    whole.root.mkdir()
    expected = outcomes(run_search(whole, study, ToyPool(2)))
    cut = RunDirectory(ram_path / "cut")
    cut.root.mkdir()
    dice = random.Random(0)
    for _ in itertools.count():

        def crashing(request: TrainRequest) -> list[float]:
            if dice.random() < 0.15:
                raise Crash
            return losses(request)

        pool = ToyPool(2, curve=crashing)
        try:
            arms = run_search(cut, study, pool)
        except Crash:
            continue
        break
    assert outcomes(arms) == expected


def test_a_trial_killed_while_its_parameters_were_stored_gets_the_same(
    directory: RunDirectory, ram_path: Path
) -> None:
    study = toy_study()
    whole = RunDirectory(ram_path / "whole")
    whole.root.mkdir()
    expected = outcomes(run_search(whole, study, ToyPool()))
    run_search(directory, toy_study(budget=Budget(trials=5, epochs=4)), ToyPool())
    storage = optuna.storages.RDBStorage(f"sqlite:///{directory.database}")
    half = optuna.load_study(study_name="toy/depth=1", storage=storage).ask()
    first = expected["depth=1"][5][2]
    assert isinstance(first, dict)
    name = next(iter(study.search))
    distribution = study.search[name]
    storage.set_trial_param(
        trial_id(half), name, distribution.to_internal_repr(first[name]), distribution
    )
    assert outcomes(run_search(directory, study, ToyPool())) == expected


def test_more_trials_later_equal_as_many_at_once(ram_path: Path, directory: RunDirectory) -> None:
    for trials in (3, 6):
        arms = run_search(directory, toy_study(budget=Budget(trials=trials, epochs=4)), ToyPool())
    whole = RunDirectory(ram_path / "whole")
    whole.root.mkdir()
    assert outcomes(arms) == outcomes(run_search(whole, toy_study(), ToyPool()))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_is_a_failure_never_the_best(
    directory: RunDirectory, bad: float
) -> None:
    def diverging(request: TrainRequest) -> list[float]:
        return [0.5, bad, 0.1, 0.1] if request.task == "depth=1/2" else losses(request)

    arm = run_search(directory, toy_study(), ToyPool(curve=diverging))[0]
    trial = arm.finished_trials()[2]
    assert trial.state.name == "FAIL"
    assert trial.user_attrs["reason"].startswith("diverged")
    assert arm.done.total() == 6
    assert list(trial.intermediate_values) == [1]
    # The seed advances with failed trials too: the bad configuration does not repeat.
    assert arm.finished_trials()[3].params != trial.params


def test_an_exception_in_a_training_fails_the_trial_with_its_reason(
    directory: RunDirectory,
) -> None:
    def raising(request: TrainRequest) -> list[float]:
        if request.task == "depth=2/0":
            raise RuntimeError("no memory for the gradients")
        return losses(request)

    arm = run_search(directory, toy_study(), ToyPool(curve=raising))[1]
    trial = arm.finished_trials()[0]
    assert trial.state.name == "FAIL"
    assert "no memory for the gradients" in trial.user_attrs["reason"]


def test_a_dying_worker_is_replaced_and_its_trial_tried_twice_more(
    directory: RunDirectory,
) -> None:
    deaths = iter([True, True])

    def dying(request: TrainRequest) -> list[float]:
        if request.task == "depth=1/1" and next(deaths, False):
            raise SystemExit(9)
        if request.task == "depth=1/3":
            raise SystemExit(137)
        return losses(request)

    pool = ToyPool(curve=dying)
    arm = run_search(directory, toy_study(), pool)[0]
    assert pool.replaced == 5
    assert arm.finished_trials()[1].state.name == "COMPLETE"
    assert arm.finished_trials()[3].state.name == "FAIL"
    assert arm.finished_trials()[3].user_attrs["reason"].startswith("killed")


def test_a_trial_beyond_its_time_is_ended(directory: RunDirectory) -> None:
    class Hanging(ToyPool):
        def send(self, worker, message):  # type: ignore[no-untyped-def]
            if isinstance(message, TrainRequest) and message.task == "depth=1/0":
                return
            super().send(worker, message)

    study = toy_study(budget=Budget(trials=2, epochs=2))
    arm = run_search(directory, study, Hanging(), trial_timeout_s=1.0)[0]
    assert "timeout" in arm.finished_trials()[0].user_attrs["reason"]
    assert arm.finished_trials()[1].state.name == "COMPLETE"


def test_parameters_that_somebody_enqueued_are_kept(directory: RunDirectory) -> None:
    wanted = {"units": 33, "learning_rate": 0.001, "dropout": 0.1, "sequence_length": 100}
    run_search(directory, toy_study(budget=Budget(trials=1, epochs=4)), ToyPool())
    optuna.load_study(
        study_name="toy/depth=1", storage=f"sqlite:///{directory.database}"
    ).enqueue_trial(wanted)
    arm = run_search(directory, toy_study(budget=Budget(trials=2, epochs=4)), ToyPool())[0]
    assert arm.finished_trials()[1].params == wanted


def test_records_read_what_the_search_wrote(directory: RunDirectory) -> None:
    study = toy_study()
    arms = run_search(directory, study, ToyPool())
    manifest = {
        "schema": 1,
        "study": "toy",
        "spec": study.to_mapping(),
        "arms": [{"name": arm.name, "values": dict(arm.values)} for arm in study.arms()],
    }
    directory.manifest.write_text(json.dumps(manifest))
    records = read_records(directory.root)
    assert records.searched
    assert not records.finished  # its replicates are still to come
    assert len(records.trials) == 12
    best = records.trials[records.trials["state"] == "complete"].groupby("arm")["value"].min()
    for arm in arms:
        values = [t.value for t in arm.finished_trials() if t.state.name == "COMPLETE"]
        assert best[arm.arm.name] == min(v for v in values if v is not None)
    assert str(records.trials["params_units"].dtype) == "Int64"


def test_a_worker_that_holds_too_much_memory_is_ended(
    directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Greedy(ToyPool):
        def memory(self, worker: int) -> int:
            under_way = self._training.get(worker)
            return 2 * 10**10 if under_way and under_way.task == "depth=1/1" else 0

    monkeypatch.setattr(coordinator, "MEMORY_CHECK_S", 0.0)
    arm = run_search(directory, toy_study(), Greedy())[0]
    trial = arm.finished_trials()[1]
    assert trial.state.name == "FAIL"
    assert trial.user_attrs["reason"].startswith("out of memory: the worker held 18.6 GiB of 9.3")
    assert arm.done.total() == 6


def test_a_worker_that_has_grown_is_exchanged_between_trials(directory: RunDirectory) -> None:
    pool = ToyPool(held=6 * 10**9)
    arms = run_search(directory, toy_study(), pool)
    assert pool.replaced == 12
    assert all(t.state.name in ("COMPLETE", "PRUNED") for a in arms for t in a.finished_trials())


@dataclass
class Dying(ToyPool):
    """Its first workers end before they are ready, `failed_starts` of them."""

    failed_starts: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self._start()

    def _start(self) -> None:
        if self.failed_starts:
            self.failed_starts -= 1
            self.inbox[0] = deque([Died("the loss of its node")])

    @property
    def ready(self) -> list[int]:
        return []

    def replace(self, worker: int) -> None:
        super().replace(worker)
        self._start()


def test_workers_that_end_before_they_are_ready_cost_no_trial(directory: RunDirectory) -> None:
    pool = Dying(failed_starts=coordinator.STARTS - 1)
    arms = run_search(directory, toy_study(), pool)
    assert pool.replaced == coordinator.STARTS - 1
    assert all(t.state.name in ("COMPLETE", "PRUNED") for a in arms for t in a.finished_trials())


def test_where_no_worker_can_start_one_line_says_so(directory: RunDirectory) -> None:
    with pytest.raises(
        UserError, match=r"no worker can start: 20 in a row .* the loss of its node"
    ):
        run_search(directory, toy_study(), Dying(failed_starts=100))
    arm = run_search(directory, toy_study(), ToyPool())[0]  # nothing is lost
    assert arm.finished_trials()[0].state.name == "COMPLETE"


@pytest.mark.parametrize("further", [True, False])
def test_a_trial_that_gets_further_each_time_is_tried_again_without_end(
    directory: RunDirectory, further: bool
) -> None:
    """Epochs that a checkpoint has brought back are not further."""

    class Killed(ToyPool):
        starts = 0

        def send(self, worker: int, message: Down) -> None:
            if isinstance(message, TrainRequest):
                self.starts += message.task == "depth=1/0"
            super().send(worker, message)
            box = self.inbox[worker]
            if isinstance(message, Continue) and message.task == "depth=1/0":
                reached = self._training[worker].epochs - len(self._left[worker])
                if reached == 1 + (self.starts if further else 1):
                    box.append(Died("signal SIGKILL"))

    pool = Killed()
    study = toy_study(budget=Budget(trials=1, epochs=6), pruner="none")
    trial = run_search(directory, study, pool)[0].finished_trials()[0]
    assert trial.state.name == ("COMPLETE" if further else "FAIL")
    assert pool.starts == (6 if further else 3)


def test_a_worker_that_hangs_is_ended_and_its_trial_tried_again(
    directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "NO_PROGRESS_S", 0.5)
    hangs = iter([True])

    class Hanging(ToyPool):
        def send(self, worker, message):  # type: ignore[no-untyped-def]
            if (
                isinstance(message, TrainRequest)
                and message.task == "depth=1/1"
                and next(hangs, False)
            ):
                return
            super().send(worker, message)

    pool = Hanging()
    arm = run_search(directory, toy_study(), pool)[0]
    assert pool.replaced == 1
    assert arm.finished_trials()[1].state.name == "COMPLETE"


def test_a_worker_that_hangs_for_ever_costs_its_trial_only(
    directory: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coordinator, "NO_PROGRESS_S", 0.3)

    class Hanging(ToyPool):
        def send(self, worker, message):  # type: ignore[no-untyped-def]
            if not (isinstance(message, TrainRequest) and message.task == "depth=1/1"):
                super().send(worker, message)

    arm = run_search(directory, toy_study(), Hanging())[0]
    assert arm.finished_trials()[1].user_attrs["reason"].startswith("timeout: no sign of life")
    assert arm.done.total() == 6


def test_a_signal_sets_the_trials_under_way_aside(directory: RunDirectory) -> None:
    stop = StopRequest()

    def stopping(request: TrainRequest) -> list[float]:
        if request.task == "depth=2/1":
            stop._on_signal(signal.SIGTERM, None)
        return losses(request)

    with pytest.raises(Stopped) as stopped:
        run_search(directory, toy_study(), ToyPool(2, curve=stopping), stop=stop)
    assert stopped.value.code == 143
    url = f"sqlite:///{directory.database}"
    states = [
        trial.state.name
        for name in optuna.get_all_study_names(url)
        for trial in optuna.load_study(study_name=name, storage=url).trials
    ]
    assert "RUNNING" not in states
    assert "WAITING" in states
    assert all(arm.done.total() == 6 for arm in run_search(directory, toy_study(), ToyPool()))


def lost(reason: str) -> Callable[[TrainRequest], list[float]]:
    """Every training ends before its first epoch: the worker dies, or sends this reason."""

    def training(request: TrainRequest) -> list[float]:
        if reason == "dies":
            raise SystemExit(134)
        raise ReasonError(reason)

    return training


class ReasonError(Exception):
    pass


class Sick(ToyPool):
    """Sends the reason of a training that failed as it is, with its kind."""

    def send(self, worker: int, message: Down) -> None:
        super().send(worker, message)
        box = self.inbox[worker]
        if box and isinstance(box[-1], Failed):
            box[-1] = Failed(box[-1].task, box[-1].reason.removeprefix("exception: "))


@pytest.mark.parametrize(
    "reason",
    ["dies", "out of memory: ResourceExhaustedError: no room", "machine: InternalError: no device"],
)
def test_where_no_training_can_run_one_line_says_so_and_no_trial_is_lost(
    ram_path: Path, reason: str
) -> None:
    whole = RunDirectory(ram_path / "whole")
    study = toy_study(sampler="random")
    for directory in (whole, RunDirectory(ram_path / "cut")):
        directory.root.mkdir()
    with pytest.raises(UserError, match=r"3 trials in a row ended before their first epoch") as why:
        run_search(directory, study, Sick(curve=lost(reason)))
    assert "the same command tries them again" in str(why.value)
    assert list(directory.root.glob("trials/*/*/result.json")) == []
    found = run_search(directory, study, ToyPool())
    assert outcomes(found) == outcomes(run_search(whole, study, ToyPool()))


def test_trials_that_fail_by_their_own_fault_are_failed_once_an_epoch_shows_it(
    directory: RunDirectory,
) -> None:
    def some(request: TrainRequest) -> list[float]:
        if request.task in ("depth=1/0", "depth=2/0", "depth=1/5", "depth=2/5"):
            raise SystemExit(134)
        return losses(request)

    for arm in run_search(directory, toy_study(), ToyPool(curve=some)):
        states = [trial.state.name for trial in arm.finished_trials()]
        assert states[0] == states[5] == "FAIL"
        assert "FAIL" not in states[1:5]
    assert len(list(directory.root.glob("trials/*/*/result.json"))) == 12


def test_a_restored_epoch_shows_nothing(directory: RunDirectory) -> None:
    """Epochs that a checkpoint brings back do not show that the machine can train."""

    class Restoring(ToyPool):
        def send(self, worker: int, message: Down) -> None:
            super().send(worker, message)
            box = self.inbox[worker]
            if box and isinstance(box[-1], EpochDone):
                box[-1] = EpochDone(box[-1].task, box[-1].metrics, again=True)
            if isinstance(message, Continue):
                box.append(Died("signal SIGABRT"))

    with pytest.raises(UserError, match="3 trials in a row ended before their first epoch"):
        run_search(directory, toy_study(), Restoring())


@pytest.mark.parametrize("at", ["while it waits", "while it handles a message"])
def test_the_time_in_which_the_coordinator_stood_still_is_not_the_trials(
    directory: RunDirectory, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """As by Ctrl-Z, or by a disk that hangs: the clock runs on, and nobody asks the pool."""
    monkeypatch.setattr(coordinator, "NO_PROGRESS_S", 60.0)
    clock = [0.0]
    monkeypatch.setattr(coordinator, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    class Stopped(ToyPool):
        def wait(self, timeout_s: float) -> list[tuple[int, Up]]:
            clock[0] += 3600.0 if len(self.trained) == 2 and at == "while it waits" else 0.1
            return super().wait(timeout_s)

        def send(self, worker: int, message: Down) -> None:
            clock[0] += 3600.0 if len(self.trained) == 2 and at != "while it waits" else 0.0
            super().send(worker, message)

    arms = run_search(directory, toy_study(), Stopped(), trial_timeout_s=25.0)
    assert all(t.state.name in ("COMPLETE", "PRUNED") for a in arms for t in a.finished_trials())


def test_a_worker_that_cannot_start_says_why_at_once(directory: RunDirectory) -> None:
    class Unfit(ToyPool):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.inbox[0] = deque([Unable("device: TensorFlow sees no GPU")])

    with pytest.raises(UserError, match="no worker can start: device: TensorFlow sees no GPU"):
        run_search(directory, toy_study(), Unfit())


def test_of_searches_with_as_many_trials_the_longest_begins_first(directory: RunDirectory) -> None:
    """So that no long training is left when all others have ended."""
    begun = []

    class Noting(ToyPool):
        def send(self, worker: int, message: Down) -> None:
            if isinstance(message, TrainRequest):
                begun.append(message.task)
            super().send(worker, message)

    run_search(directory, toy_study(compare={"depth": [1, 3, 2]}), Noting(1))
    assert begun[:3] == ["depth=3/0", "depth=2/0", "depth=1/0"]
    rounds = [[task.split("/")[1] for task in begun[i : i + 3]] for i in range(0, len(begun), 3)]
    assert rounds == [[str(number)] * 3 for number in range(6)]
