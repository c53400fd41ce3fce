"""Trials that are trained along with another one, and a search that is the same for it."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from toys import ToyPool, losses, toy_study

from harness import Budget, FloatDistribution, IntDistribution, samplers
from harness.core.signals import StopRequest
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import RESULT, read_result
from harness.search import trial_files
from harness.search.arm_search import ArmSearch
from harness.search.coordinator import Coordinator
from harness.search.database import open_storage, sqlite_url
from harness.search.progress import ProgressDisplay
from harness.workers.messages import TrainRequest

RATES = {
    "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
    "dropout": FloatDistribution(0.1, 0.5),
}
RULE = {"cpu": {"words": {"lstm": ((8, 3),)}}}  # from three members on


@pytest.fixture(autouse=True)
def rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.training.grouping.SIDE_BY_SIDE", RULE)


def study(sampler: str = "random", trials: int = 6, **changes: Any) -> Any:
    search = changes.pop("search", RATES)
    fixed = {"cell": "lstm", "depth": 1, "vocabulary": 100, "sequence_length": 20}
    if "units" not in search:
        fixed["units"] = 8
    return toy_study(
        compare={}, search=search, fixed=fixed, sampler=sampler,
        budget=Budget(trials=trials, epochs=4), **{"backend": "jax", "pruner": "none", **changes},
    )  # fmt: skip


def search_of(
    root: Path, declared: Any, device: str | None = "cpu", pool: ToyPool | None = None
) -> tuple[ArmSearch, list[TrainRequest]]:
    """A search as a session does it, and what its workers were asked for."""
    root.mkdir(exist_ok=True)
    directory, pool = RunDirectory(root), pool or ToyPool()
    (arm,) = declared.arms()
    search = ArmSearch(
        "toy", declared, arm, open_storage(sqlite_url(directory.database)), directory
    )
    if device is not None:
        search.train_side_by_side(device)
    board = ProgressDisplay([search.group], declared.budget.trials, len(pool), 4)
    Coordinator([search], pool, board, StopRequest()).run()
    return search, pool.trained


def group_of(request: TrainRequest) -> tuple[int, int, tuple[int, ...]] | None:
    """How many members it has, the place of the one asked for, and those of the others."""
    if request.group is None:
        return None
    others = tuple(place for place, _ in request.group.others)
    return request.group.members, request.group.own, others


def outcomes(search: ArmSearch) -> list[Any]:
    return [(t.state, t.params, t.value, t.intermediate_values) for t in search.finished_trials()]


def test_the_first_trial_takes_along_all_of_its_program(ram_path: Path) -> None:
    search, requests = search_of(ram_path / "beside", study())
    places = tuple(range(6))
    assert [group_of(each) for each in requests] == [(6, n, places[n + 1 :]) for n in places]
    first = requests[0].group
    assert first is not None
    assert first.patience is None
    for (_, ahead), asked in zip(first.others, requests[1:], strict=True):
        assert ahead == replace(asked, group=None)  # what it will be is known beforehand
    alone, requests = search_of(ram_path / "alone", study(), None)
    assert [group_of(each) for each in requests] == [None] * 6
    assert outcomes(search) == outcomes(alone)
    record = read_result(search.folder(2))
    assert record is not None
    # A share of the group's steps says nothing about the time of its own.
    assert (record["group"], record["step_ms"]) == ([*places], None)
    assert "group" not in (read_result(alone.folder(2)) or {})


def test_only_trials_of_the_same_program_are_taken_along(ram_path: Path) -> None:
    space = {**RATES, "dropout": FloatDistribution(0.0, 0.5), "units": IntDistribution(7, 9)}
    _, requests = search_of(ram_path / "r", study(trials=12, search=space))
    shapes = [each.hyperparameters.units for each in requests]
    for number, (units, request) in enumerate(zip(shapes, requests, strict=True)):
        same = [other for other, each in enumerate(shapes) if each == units]
        if units == 9 or len(same) < 3:  # too large, or too few, to gain
            assert request.group is None
        else:
            own = same.index(number)
            assert group_of(request) == (len(same), own, tuple(range(own + 1, len(same))))
    assert any(each.group for each in requests)


@pytest.mark.parametrize("sampler", samplers.names())
def test_the_samplers_that_look_at_no_result_say_so(ram_path: Path, sampler: str) -> None:
    """What is known beforehand is what it suggests, whatever the trials before it have found."""
    startup = samplers.startup_trials(sampler)
    if sampler == "gp":
        pytest.importorskip("torch")
    if sampler.startswith("kt-") or startup == 0:
        assert startup == 0
        return
    suggested = []
    for place, sign in (("up", 1), ("down", -1)):

        def curve(request: TrainRequest, sign: int = sign) -> list[float]:
            return [5.0 + sign * loss for loss in losses(request)]

        _, requests = search_of(ram_path / place, study(sampler, 10), pool=ToyPool(curve=curve))
        known = int(min(10, startup))
        assert requests[0].group is not None
        ahead = [other for _, other in requests[0].group.others]
        assert ahead == [replace(each, group=None) for each in requests[1:known]]
        assert all(each.group is None for each in requests[known:])
        suggested.append([each.hyperparameters for each in requests])
    same = [one == other for one, other in zip(*suggested, strict=True)]
    assert all(same[: int(min(10, startup))])
    assert all(same) == math.isinf(startup)


def test_a_search_that_is_interrupted_goes_on_in_the_same_groups(ram_path: Path) -> None:
    whole, requests = search_of(ram_path / "whole", study())
    asked = []

    def stop_at(number: int) -> Callable[[TrainRequest], list[float]]:
        def curve(request: TrainRequest) -> list[float]:
            asked.append((request.task, group_of(request)))
            if request.task.endswith(f"/{number}"):
                raise KeyboardInterrupt
            return losses(request)

        return curve

    for number in (0, 3):
        with pytest.raises(KeyboardInterrupt):
            search_of(ram_path / "cut", study(), pool=ToyPool(curve=stop_at(number)))
    cut, _ = search_of(ram_path / "cut", study(), pool=ToyPool(curve=stop_at(-1)))
    assert outcomes(cut) == outcomes(whole)
    assert set(asked) == {(each.task, group_of(each)) for each in requests}
    # More trials are a group of their own: nothing changes for those that have ended.
    _, more = search_of(ram_path / "cut", study(trials=9))
    assert [group_of(each) for each in more] == [(3, 0, (1, 2)), (3, 1, (2,)), (3, 2, ())]


def test_one_that_was_begun_alone_goes_on_alone(ram_path: Path) -> None:
    def curve(request: TrainRequest) -> list[float]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search_of(ram_path / "r", study(), None, ToyPool(curve=curve))
    _, requests = search_of(ram_path / "r", study())
    assert [group_of(each) for each in requests[:2]] == [None, (5, 0, (1, 2, 3, 4))]


def test_what_dies_in_a_group_is_tried_alone(ram_path: Path) -> None:
    def curve(request: TrainRequest) -> list[float]:
        if request.group is not None and request.task.endswith("/2"):
            raise SystemExit(137)
        return losses(request)

    search, requests = search_of(ram_path / "r", study(), pool=ToyPool(curve=curve))
    assert [t.state.name for t in search.finished_trials()] == ["COMPLETE"] * 6
    assert [group_of(each) and group_of(each)[0] for each in requests] == [
        6, 6, 6, 6, None, None, None, None,
    ]  # fmt: skip
    assert (read_result(search.folder(2)) or {})["step_ms"] == 5.0


def test_files_and_database_agree_about_groups(ram_path: Path) -> None:
    search, _ = search_of(ram_path / "r", study())
    said: list[str] = []
    trial_files.mend(search, said.append)
    assert said == []
    before = (search.folder(4) / RESULT).read_text()
    (search.folder(4) / RESULT).unlink()
    trial_files.mend(search, said.append)
    assert len(said) == 1
    assert (read_result(search.folder(4)) or {})["group"] == [0, 1, 2, 3, 4, 5]
    assert '"group"' in before


@pytest.mark.parametrize("changes", [{"backend": "tensorflow"}, {"path": "keras"}])
def test_what_has_no_program_of_jax_is_trained_alone(ram_path: Path, changes: Any) -> None:
    _, requests = search_of(ram_path / "r", study(**changes))
    assert [each.group for each in requests] == [None] * 6
