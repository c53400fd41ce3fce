"""Arms held equal: units by counting parameters, or by measuring steps."""

import json
from pathlib import Path
from typing import Any

import pytest
from session_testing import Pool, options, use_toy_pool
from toys import ToyPool, toy_study

from harness import FloatDistribution
from harness.core import files
from harness.core.errors import UserError
from harness.datasets.base.signature import BINARY
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.search import equal_step_time
from harness.spec import counts
from harness.study import session

pytestmark = pytest.mark.usefixtures("no_sections")

SEARCH = {"learning_rate": FloatDistribution(1e-3, 1e-1, log=True)}


def held(**hold: float) -> Any:
    return toy_study(
        search=SEARCH, hold=hold, compare={"depth": [1, 2, 4]}, fixed={"vocabulary": 100}
    )


def test_units_come_nearest_to_the_parameters_held() -> None:
    study = held(parameters=9_000)
    found = {}
    for arm in study.arms():
        hp = study.hyperparameters(arm, {"learning_rate": 0.01})
        found[arm.name] = hp.units

        def off(units: int, arm: Any = arm) -> int:
            hp = study.hyperparameters(arm, {"learning_rate": 0.01, "units": units})
            return abs(counts.parameters(hp, BINARY) - 9_000)

        assert off(hp.units) <= min(off(hp.units - 1), off(hp.units + 1))
    assert found["depth=1"] > found["depth=2"] > found["depth=4"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hold": {"parameters": 3000}}, "3,000 parameters are too few for depth=1, which has 3,"),
        ({"hold": {"flops": 3}}, "hold: .* is not one of parameters and step_ms"),
        ({"hold": {"parameters": -1}}, "hold: -1 is not a number above 0"),
        ({"hold": {"parameters": 9000}, "fixed": {"units": 3}}, "units: follow from what is held"),
        ({"hold": {"step_ms": 3.0}, "search": toy_study().search}, "units: follow"),
        (
            {"hold": {"step_ms": 3.0}, "search": {
                "sequence_length": toy_study().search["sequence_length"]}},
            "search: sequence_length changes how long a step takes",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_held_is_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        toy_study(**{"search": SEARCH, "fixed": {"vocabulary": 100}, **changes})


def test_a_study_that_holds_nothing_has_the_fingerprint_it_had() -> None:
    assert "hold" not in toy_study().to_mapping()
    assert held(parameters=9_000).to_mapping()["hold"] == {"parameters": 9_000}


@pytest.mark.parametrize("wanted", [0.9, 3.0, 8.0, 30.0])
@pytest.mark.parametrize("depth", [1, 4])
@pytest.mark.parametrize("start", [equal_step_time.START, 200])
def test_guessing_finds_the_nearest_units(
    tmp_path: Path, wanted: float, depth: int, start: int
) -> None:
    """On a made-up machine whose step takes a fixed time and one that grows with units."""

    def step_ms(units: int) -> float:
        return depth * (0.1 + 0.01 * units**1.4)

    study = held(step_ms=wanted)
    arm = next(arm for arm in study.arms() if arm.name == f"depth={depth}")
    probe = equal_step_time.StepTimeProbe(study, arm, RunDirectory(tmp_path), start=start)
    while (units := probe.guess()) is not None:
        probe.measured[units] = step_ms(units)
    assert len(probe.measured) < (10 if start == equal_step_time.START else 15)
    best = min(abs(step_ms(units) / wanted - 1) for units in range(1, 1000))
    assert abs(step_ms(probe.units) / wanted - 1) <= max(best + 1e-9, equal_step_time.TOLERANCE)


def test_a_quick_look_is_less_close_and_takes_fewer_guesses(tmp_path: Path) -> None:
    guesses = []
    for tolerance in (equal_step_time.TOLERANCE, equal_step_time.TOLERANCE_IN_QUICK):
        guesses.append(0)
        for wanted in (3.0, 8.0, 30.0):
            study = held(step_ms=wanted)
            probe = equal_step_time.StepTimeProbe(
                study, study.arms()[0], RunDirectory(tmp_path), tolerance=tolerance
            )
            while (units := probe.guess()) is not None:
                probe.measured[units] = 0.8 + 0.01 * units**1.4
            guesses[-1] += len(probe.measured)
            assert abs(probe.measured[probe.units] / wanted - 1) <= tolerance
    assert guesses[1] < guesses[0]


@pytest.mark.parametrize("seconds", [1.0, 1e-9])
def test_times_that_noise_has_turned_round_come_to_an_end(tmp_path: Path, seconds: float) -> None:
    study = held(step_ms=8.0)
    probe = equal_step_time.StepTimeProbe(study, study.arms()[0], RunDirectory(tmp_path))
    while (units := probe.guess()) is not None:
        probe.measured[units] = seconds * (1 + units % 3)
    assert max(probe.measured) <= 4096


def test_a_time_that_no_units_take_is_an_error(tmp_path: Path) -> None:
    study = held(step_ms=0.01)
    probe = equal_step_time.StepTimeProbe(study, study.arms()[0], RunDirectory(tmp_path))
    while (units := probe.guess()) is not None:
        probe.measured[units] = 1.0 + units
    with pytest.raises(
        UserError, match=r"no number of units gives depth=1 a step of 0\.01 ms; 1 u"
    ):
        _ = probe.units


STUDY = """
'''Does it run?'''
from harness import FloatDistribution
from toys import toy_study
study = toy_study(
    search={'learning_rate': FloatDistribution(1e-3, 1e-1, log=True)}, hold={'step_ms': 5.0},
    fixed={'vocabulary': 100}, replicates=1)
"""


def test_a_study_measures_once_and_trains_with_what_it_found(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The toy pool's steps all take 5 ms: the first guess fits."""
    file = ram_path / "mine.py"
    file.write_text(STUDY)
    pools: list[ToyPool] = []

    class Watched(Pool):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            pools.append(self)

    use_toy_pool(monkeypatch, Watched)
    session.run(options(file))
    root = ram_path / "runs" / "mine"
    measured_units = json.loads((root / "units.json").read_text())
    assert [measured_units[arm]["units"] for arm in ("depth=1", "depth=2")] == [8, 8]
    assert [request.dataset.train for request in pools[0].trained] == [64, 64]  # all there is
    assert {request.hyperparameters.units for request in pools[1].trained} == {8, 1}  # 1: the bag
    records = read_records(root)
    assert set(records.trials["params_units"]) == {8}
    # Another machine might measure otherwise: what the study began with holds, also where the
    # file is changed or lost.
    for trials, content in ((7, files.to_json({"depth=1": {"units": 9}})), (8, None)):
        if content is None:
            (root / "units.json").unlink()
        else:
            (root / "units.json").write_text(content)
        session.run(options(file, trials=trials))
        asked = {o.hyperparameters.units for o in pools[-1].trained if f"/{trials - 1}" in o.task}
        assert asked == {8}
    assert len(pools) == 4


def test_a_quick_look_measures_side_by_side_and_profiles_nothing(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = ram_path / "mine.py"
    file.write_text(STUDY)
    sizes: list[int] = []

    class Watched(Pool):
        def __init__(self, count: int, *others: Any) -> None:
            super().__init__(count, *others)
            sizes.append(count)

    use_toy_pool(monkeypatch, Watched)
    assert session.run(options(file, quick=True, workers=2, quiet=False)) == 0
    assert sizes == [2, 2]
    assert "no profile in a quick look: finding the units" in capsys.readouterr().err
    assert set(read_records(ram_path / "runs" / "mine-quick").trials["params_units"]) == {8}
