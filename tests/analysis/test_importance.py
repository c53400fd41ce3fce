"""Importance: what decides the loss comes first, and noise is told from it."""

import math
import random
import time
from pathlib import Path
from typing import Any

import pytest
from report_testing import MakeRun, run_maker

from harness.analysis.importance import MIN_TRIALS, importances
from harness.results import records
from reports.sections import search


@pytest.fixture
def make_run(ram_path: Path) -> MakeRun:
    return run_maker(ram_path)


def decided(result: dict[str, Any]) -> dict[str, Any]:
    """The learning rate matters most, then dropout, the others not at all.

    Arms differ by far more than that, which must not count.
    """
    rate, dropout = result["params"]["learning_rate"], result["params"]["dropout"]
    value = abs(math.log10(rate / 3e-3)) + 0.5 * dropout
    arm = int(result["arm"].partition("=")[2])
    return {**result, "value": value + 10 * arm, "state": "complete"}


class Noise:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def __call__(self, result: dict[str, Any]) -> dict[str, Any]:
        return {**result, "value": self.random.random(), "state": "complete"}


def test_the_order_of_what_decides_is_found(make_run: MakeRun) -> None:
    read = records.read_records(make_run(trials=40, edit=decided))
    found = importances(read)
    assert list(found)[:2] == ["learning_rate", "dropout"]
    assert found["learning_rate"].share > 0.5
    assert sum(each.share for each in found.values()) == pytest.approx(1.0)
    assert found["learning_rate"].clear
    others = set(found) - {"learning_rate", "dropout"}
    assert others
    assert not any(found[name].clear for name in others)
    assert importances(read) == found


def test_equal_losses_show_nothing(make_run: MakeRun) -> None:
    made = make_run(compare={"depth": [1, 2]}, trials=20, edit=lambda each: {**each, "value": 0.5})
    found = importances(records.read_records(made))
    assert found
    assert not any(each.clear for each in found.values())


@pytest.mark.usefixtures("no_charts")
def test_noise_is_called_noise(make_run: MakeRun) -> None:
    quiet = []
    for seed in range(8):
        made = make_run(f"noise-{seed}", trials=6, epochs=1, seed=seed, edit=Noise(seed))
        read = records.read_records(made)
        assert importances(read)
        if not any(each.clear for each in importances(read).values()):
            quiet.append(read)
    assert len(quiet) >= 6  # each of the others has a chance of 5 %
    page = search.build(quiet[0])
    assert page is not None
    assert "none of them is clearly more than noise" in page.tables[0].caption
    assert {row.cells[3] for row in page.tables[0].rows} == {"not shown"}


@pytest.mark.usefixtures("no_charts")
def test_few_trials_say_nothing(make_run: MakeRun) -> None:
    read = records.read_records(make_run(trials=(MIN_TRIALS - 1) // 4, edit=Noise(0)))
    assert importances(read) == {}
    page = search.build(read)
    assert page is not None
    assert not page.tables
    assert f"at least {MIN_TRIALS} finished trials" in " ".join(page.text)


def test_what_only_some_trials_have_counts(make_run: MakeRun) -> None:
    """Of two kinds, one has a number that decides its loss; the other is always bad."""

    def edit(result: dict[str, Any]) -> dict[str, Any]:
        params = dict(result["params"])
        if params["sequence_length"] != 200:
            value = 1.0 + params.pop("dropout") * 0
        else:
            value = params["dropout"]
        return {**result, "params": params, "value": value, "state": "complete"}

    found = importances(records.read_records(make_run(trials=30, edit=edit)))
    assert set(list(found)[:2]) == {"dropout", "sequence_length"}
    assert found["dropout"].clear


@pytest.mark.parametrize(
    "declared", [None, {}, {"name": "FloatDistribution"}, {"name": "X", "attributes": {}}, 5]
)
def test_a_damaged_distribution_is_left_out(make_run: MakeRun, declared: object) -> None:
    made = make_run(trials=8, edit=decided)
    read = records.read_records(made)
    read.manifest.search["dropout"] = declared
    assert "dropout" not in importances(read)


def test_many_trials_take_seconds(make_run: MakeRun) -> None:
    read = records.read_records(make_run(trials=60, compare={"depth": [1, 2]}, edit=decided))
    began = time.process_time()
    assert importances(read)
    assert time.process_time() - began < 20
