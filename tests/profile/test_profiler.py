"""The profiler's coordinator: what is measured, kept, pooled and reported as failed."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from profile_testing import Pool, configuration, figures, nothing

from harness.core.errors import UserError
from harness.profile import profiler
from harness.profile.measurements import QUICK, QUICK_WARM, Configuration, Effort
from harness.profile.profiler import Warm
from harness.workers.messages import Measurement

TWO = Effort(2, 1.0)


DEPTHS = [configuration(depth=depth) for depth in (1, 2, 3)]


def test_every_process_measures_everything_beginning_elsewhere(
    pool: type[Pool], tmp_path: Path
) -> None:
    found = profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    assert [order.hyperparameters.depth for order in pool.asked] == [1, 2, 3, 2, 3, 1]
    assert [entry["depth"] for entry in found["entries"]] == [1, 2, 3]
    assert {entry["processes"] for entry in found["entries"]} == {2}
    assert {entry["step_ms"]["n"] for entry in found["entries"]} == {6}


def test_a_stopped_profile_goes_on(pool: type[Pool], tmp_path: Path) -> None:
    pool.stop_after = 4
    with pytest.raises(KeyboardInterrupt):
        profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    pool.stop_after = None
    profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    assert len(pool.asked) == 6
    profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    assert len(pool.asked) == 6
    # Another effort is another measurement.
    profiler.profile(DEPTHS, tmp_path, Effort(1, 9.0), nothing)
    assert len(pool.asked) == 9


def test_a_damaged_line_is_measured_again(pool: type[Pool], tmp_path: Path) -> None:
    profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    file = tmp_path / "measurements.jsonl"
    file.write_text(file.read_text()[:-40])
    profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    assert len(pool.asked) == 7


def test_another_machine_is_never_pooled(
    pool: type[Pool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    monkeypatch.setattr(profiler, "_identity", lambda described: "another")
    said: list[str] = []
    found = profiler.profile(DEPTHS, tmp_path, TWO, said.append)
    assert len(pool.asked) == 12
    assert found["entries"][0]["step_ms"]["n"] == 6
    assert "another machine" in said[0]
    assert (tmp_path / "measurements.old-1.jsonl").exists()


def test_failures_are_told_and_do_not_stop_the_rest(
    pool: type[Pool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.workers.messages import Failed

    def wait(self: Pool, timeout_s: float) -> list[tuple[int, Any]]:
        order = type(self).asked[-1]
        if order.hyperparameters.depth == 2:
            return [(0, Failed(order.task, "exception: too deep"))]
        return [(0, Measurement(order.task, figures()))]

    monkeypatch.setattr(Pool, "wait", wait)
    found = profiler.profile(DEPTHS, tmp_path, TWO, nothing)
    assert [entry["depth"] for entry in found["entries"]] == [1, 3]
    assert [each["reason"] for each in found["failed"]] == ["exception: too deep"]
    with pytest.raises(UserError, match="too deep"):
        profiler.profile([DEPTHS[1]], tmp_path / "other", TWO, nothing)


def test_the_same_configuration_of_two_arms_is_measured_once(
    pool: type[Pool], tmp_path: Path
) -> None:
    hp = configuration().hyperparameters
    twice = [Configuration(hyperparameters=hp, arms=(arm,)) for arm in ("a", "b")]
    found = profiler.profile(twice, tmp_path, Effort(1, 1.0), nothing)
    assert len(pool.asked) == 1
    assert found["entries"][0]["arms"] == ["a", "b"]


def test_a_worker_that_has_trained_measures_the_programs_of_the_study(
    pool: type[Pool], tmp_path: Path
) -> None:
    warm = Warm(pool(1, None, tmp_path), (64, 32))
    found = profiler.profile(DEPTHS, tmp_path, QUICK_WARM, nothing, warm)
    assert [order.rows for order in pool.asked] == [(64, 32)] * 3
    assert found["warm"]
    assert {entry["processes"] for entry in found["entries"]} == {1}
    # A fresh process is another measurement, although it takes as long.
    again = profiler.profile(DEPTHS, tmp_path, QUICK, nothing)
    assert len(pool.asked) == 6
    assert pool.asked[-1].rows is None
    assert not again["warm"]


def test_a_profile_at_the_end_ends_when_its_share_of_the_time_is_over(
    pool: type[Pool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0.0, 4.0)
    monkeypatch.setattr(profiler.time, "monotonic", lambda: next(clock))
    warm = Warm(pool(1, None, tmp_path), (64, 32))
    found = profiler.profile(DEPTHS, tmp_path, replace(QUICK_WARM, limit_s=9.0), nothing, warm)
    assert [entry["depth"] for entry in found["entries"]] == [1, 2]
    (left_out,) = found["failed"]
    assert "depth 3" in left_out["configuration"]
    assert "a fifth of the study's time" in left_out["reason"]


def test_messages_of_other_workers_are_not_taken_for_the_answer(
    pool: type[Pool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.workers.messages import Died

    real = pool.wait
    monkeypatch.setattr(
        pool, "wait", lambda self, timeout_s: [(1, Died("signal 9")), *real(self, timeout_s)]
    )
    warm = Warm(pool(1, None, tmp_path), (64, 32))
    found = profiler.profile(DEPTHS, tmp_path, QUICK_WARM, nothing, warm)
    assert len(found["entries"]) == 3
    assert found["failed"] == []
