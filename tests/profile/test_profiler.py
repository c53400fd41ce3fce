"""The profiler's coordinator: what is measured, kept, pooled, flagged; and its command line."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from profile_testing import configuration, figures, profile
from report_testing import write_run
from toys import toy_study

from harness.core.errors import UserError
from harness.datasets.base.signature import BINARY
from harness.profile import entries, estimate, of_study, profiler
from harness.profile.measurements import Configuration, Effort
from harness.results.records import read_records
from harness.spec.hyperparameters import Hyperparameters
from harness.workers import energy, spread
from harness.workers.messages import Measure, Measurement
from reports.pages import profile as profile_page

TWO = Effort(2, 1.0)


class Pool:
    """Answers as a worker process would, with made-up figures; counts what it was asked."""

    asked: list[Measure]
    stop_after: int | None = None

    def __init__(self, count: int, settings: Any, logs: Path) -> None:
        assert count == 1

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def send(self, worker: int, order: Measure) -> None:
        if self.stop_after is not None and len(type(self).asked) == self.stop_after:
            raise KeyboardInterrupt
        type(self).asked.append(order)

    def wait(self, timeout_s: float) -> list[tuple[int, Any]]:
        return [(0, Measurement(type(self).asked[-1].task, figures()))]


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> type[Pool]:
    Pool.asked, Pool.stop_after = [], None
    monkeypatch.setattr(profiler, "LocalPool", Pool)
    return Pool


def nothing(text: str) -> None:
    pass


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


def test_pooling() -> None:
    one = figures([1.0, 2.0, 3.0], compile_s=2.0, peak_rss_mb=800.0)
    two = figures([4.0, 5.0], compile_s=4.0, peak_rss_mb=900.0)
    entry = entries.entry(configuration(), [one, two])
    assert entry["step_ms"] == {
        "median": 3.0, "p05": pytest.approx(1.2), "p95": pytest.approx(4.8), "n": 5,
        "unstable": True,
    }  # fmt: skip
    assert entry["compile_s"] == 3.0
    assert entry["peak_rss_mb"] == 800.0
    assert entry["gflops"] == pytest.approx(entry["flops_per_step"] / 3.0 / 1e6)
    assert entry["us_per_iteration"] == pytest.approx(3.0 * 1000 / 400)
    assert entry["matmul_share"] == pytest.approx(entry["gflops"] / 100.0)


@pytest.mark.parametrize(
    ("samples", "unstable"),
    [((10.0, 10.2, 10.4), False), ((10.0, 11.0, 12.6), True), ((9.0,), False)],
)
def test_the_unstable_flag(samples: Sequence[float], unstable: bool) -> None:
    assert spread.pooled(samples)["unstable"] is unstable


@pytest.mark.parametrize(
    ("units", "length", "device", "steps"),
    [(5, 100, "cpu", 128), (61, 200, "cpu", 42), (61, 200, "gpu", 128), (512, 400, "cpu", 8)],
)
def test_large_networks_are_measured_over_fewer_steps_on_a_cpu(
    units: int, length: int, device: str, steps: int
) -> None:
    from harness.workers.timing import steps_of_an_epoch

    hp = Hyperparameters(cell="gru", depth=3, units=units, sequence_length=length, batch_size=32)
    assert steps_of_an_epoch(hp, BINARY, device) == steps


def test_what_spreads_is_measured_longer() -> None:
    from harness.workers.timing import timed

    def clock() -> float:
        return float(len(taken))

    taken: list[float] = []

    def sample(values: Sequence[float]) -> float:
        taken.append(values[len(taken) % len(values)])
        return taken[-1]

    steady, longer = timed(lambda: sample((5.0,)), 10.0, clock=clock)
    assert (len(steady), longer) == (10, False)
    taken.clear()
    noisy, longer = timed(lambda: sample((5.0, 9.0)), 10.0, clock=clock)
    assert (len(noisy), longer) == (30, True)
    taken.clear()
    few, longer = timed(lambda: sample((5.0,)), 0.0, clock=clock)
    assert len(few) == 7


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


def test_a_study_gives_its_best_and_a_grid(tmp_path: Path) -> None:
    records = read_records(write_run(tmp_path / "lstm_depth"))
    found = of_study.configurations_of(records, devices=["cpu"])
    assert [each.arms for each in found[:4]] == [(f"depth={depth}",) for depth in (1, 2, 3, 4)]
    assert [each.hyperparameters.depth for each in found] == [1, 2, 3, 4] * 2
    assert len({each.hyperparameters.units for each in found[4:]}) == 1
    assert len(of_study.configurations_of(records, grid=False, devices=["cpu"])) == 4
    empty = read_records(write_run(tmp_path / "empty", trials=0))
    with pytest.raises(UserError, match="no trial has completed"):
        of_study.configurations_of(empty)


def test_a_study_is_profiled_into_its_run_directory(pool: type[Pool], tmp_path: Path) -> None:
    root = write_run(tmp_path / "lstm_depth")
    (root / "profile.json").unlink()
    file = of_study.profile_run_directory(root, quick=True, notify=nothing)
    assert file == root / "profile.json"
    assert len(json.loads(file.read_text())["entries"]) == 4
    lines = (root / "tables" / "profile.csv").read_text().splitlines()
    assert len(lines) == 5
    assert "step_ms_median" in lines[0]


def test_the_same_configuration_of_two_arms_is_measured_once(
    pool: type[Pool], tmp_path: Path
) -> None:
    hp = configuration().hyperparameters
    twice = [Configuration(hyperparameters=hp, arms=(arm,)) for arm in ("a", "b")]
    found = profiler.profile(twice, tmp_path, Effort(1, 1.0), nothing)
    assert len(pool.asked) == 1
    assert found["entries"][0]["arms"] == ["a", "b"]


def test_the_page_names_what_is_unstable() -> None:
    text = profile_page.render(profile(), now="2026-11-23T12:00:00Z")
    assert "<td>unstable</td>" in text
    assert "Unstable: 1 of 4" in text
    assert text == profile_page.render(profile(), now="2026-11-23T12:00:00Z")


def test_predictions_use_all_profiles_of_one_machine_and_no_others(tmp_path: Path) -> None:
    study = toy_study(backend="tensorflow")
    runs_directory = tmp_path / "runs"
    own = profile()
    for name, cpu, factor in (("a", "A processor", 1.0), ("b", "A processor", 3.0),
                              ("c", "Another", 100.0)):  # fmt: skip
        each = copy.deepcopy(own)
        each["environment"]["cpu"] = cpu
        for entry in each["entries"]:
            entry["step_ms"]["median"] *= factor
        (runs_directory / name).mkdir(parents=True)
        (runs_directory / name / "profile.json").write_text(json.dumps(each))
    found = estimate.predict_study(study, "mine", 2, runs_directory)
    assert found is not None
    both, told = found
    assert told == f"{runs_directory / 'a' / 'profile.json'} and 1 more of this machine"
    for name in ("b", "c"):
        (runs_directory / name / "profile.json").unlink()
    found = estimate.predict_study(study, "mine", 2, runs_directory)
    assert found is not None
    alone, told = found
    assert told == str(runs_directory / "a" / "profile.json")
    assert alone.seconds < both.seconds < 10 * alone.seconds
    assert estimate.predict_study(study, "mine", 2, tmp_path / "empty") is None


def test_energy_counts_packages_where_they_can_be_read(tmp_path: Path) -> None:
    assert energy.counter("cpu", tmp_path) is None
    for name, microjoules in (
        ("intel-rapl:0", 3e6),
        ("intel-rapl:0:0", 1e6),
        ("intel-rapl:1", 4e6),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "energy_uj").write_text(f"{microjoules:.0f}\n")
    counter = energy.counter("cpu", tmp_path)
    assert counter is not None
    assert counter() == 7.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--help"),
        (["--cell", "lstmm"], "cell: 'lstmm'"),
        (["--depth", "1,x"], "--depth 1,x"),
        (["--depth", "0"], "depth: 0"),
        (["--cell", "lstm", "--backend", "theano"], "backend: 'theano'"),
        (["--cell", "lstm", "--device", "tpu"], "device: 'tpu'"),
        (["--cell", "lstm", "--device", "gpu"], "no NVIDIA GPU"),
        (["--cell", "lstm", "--path", "cudnn"], "path: 'cudnn'"),
        (["--cell", "lstm", "--processes", "0"], "--processes 0"),
        (["no_such_study"], "no study named"),
        (["lstm_depth", "--units", "3"], "leave lstm_depth out"),
        (["--predict", "lstm_depth"], "no profile"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "harness.profile", *arguments],
        capture_output=True, text=True, cwd=tmp_path, timeout=60,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"},
    )  # fmt: skip
    assert answer.returncode == 2
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert answer.stderr.count("\n") == 1
    assert message in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_tiny_grid_for_real(tmp_path: Path) -> None:
    """One real worker process; a second call measures nothing and says the same."""
    words = [sys.executable, "-m", "harness.profile", "--cell", "gru", "--depth", "1", "--units",
             "2", "--sequence-length", "5", "--batch-size", "4", "--quick", "--json",
             "--device", "cpu"]  # fmt: skip
    first = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=180)
    assert first.returncode == 0, first.stderr
    found = json.loads(first.stdout)
    (entry,) = found["entries"]
    assert (entry["path"], entry["xla"], entry["cudnn"]) == ("xla-kernel", True, False)
    assert entry["step_ms"]["n"] >= 7
    assert 0 < entry["step_ms"]["p05"] <= entry["step_ms"]["median"] <= entry["step_ms"]["p95"]
    assert entry["compile_s"] > 0 < entry["build_s"]
    assert 100 < entry["peak_rss_mb"] < 10_000
    assert Path(tmp_path / found["page"]).is_file()
    again = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert json.loads(again.stdout)["entries"] == found["entries"]
    assert again.stderr == ""
