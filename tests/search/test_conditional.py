"""A search whose hyperparameters do not apply to every trial, with every sampler."""

from pathlib import Path
from typing import Any

import optuna
import pytest
from toys import ToyPool, outcomes, run_search, toy_study

from harness import (
    Budget,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    UnitsByLayer,
    When,
    samplers,
)
from harness.core.errors import UserError
from harness.results.run_directory import RunDirectory
from harness.search.arm_search import ArmSearch
from harness.search.database import open_storage, sqlite_url
from harness.workers.messages import TrainRequest

SEARCH = {
    "momentum": When("optimizer", "sgd", FloatDistribution(0.0, 0.99)),
    "optimizer": CategoricalDistribution(["adam", "sgd"]),
    "depth": IntDistribution(1, 3),
    "units": UnitsByLayer(4, 16),
    "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
}
REFUSING = ("grid", "kt-bayesian", "kt-grid", "kt-hyperband", "kt-random")


def study(sampler: str, trials: int = 14) -> Any:
    return toy_study(
        compare={}, search=SEARCH, fixed={"vocabulary": 100}, sampler=sampler, pruner="none",
        budget=Budget(trials=trials, epochs=2),
    )  # fmt: skip


def directory(root: Path) -> RunDirectory:
    root.mkdir()
    return RunDirectory(root)


def able() -> list[Any]:
    names = [name for name in samplers.names() if name not in REFUSING]
    return [pytest.param(n, marks=pytest.mark.torch) if n == "gp" else n for n in names]


@pytest.mark.parametrize("sampler", able())
def test_trials_have_what_applies_and_nothing_else(ram_path: Path, sampler: str) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        declared = study(sampler)
    except UserError as error:
        pytest.skip(str(error))
    whole, pool = directory(ram_path / "whole"), ToyPool()
    arms = run_search(whole, declared, pool)
    (arm,) = arms
    trials = [trial.params for trial in arm.finished_trials()]
    for params, request in zip(trials, pool.trained, strict=True):
        layers = {f"units_{layer}" for layer in range(1, params["depth"] + 1)}
        momentum = {"momentum"} if params["optimizer"] == "sgd" else set()
        assert set(params) == {"optimizer", "depth", "learning_rate"} | layers | momentum
        assert request.hyperparameters.units == tuple(params[name] for name in sorted(layers))
        assert request.hyperparameters.momentum == params.get("momentum", 0.0)
    assert len({params["depth"] for params in trials}) > 1
    assert {params["optimizer"] for params in trials} == {"adam", "sgd"}
    # Cut after some trials, it ends as an uncut one.
    cut = directory(ram_path / "cut")
    run_search(cut, study(sampler, trials=9), ToyPool())
    assert outcomes(run_search(cut, declared, ToyPool())) == outcomes(arms)


def test_tpe_learns_what_only_some_trials_have(ram_path: Path) -> None:
    """Momentum decides the loss of sgd: in the end TPE draws it from where it was low."""

    def steep(request: TrainRequest) -> list[float]:
        hp = request.hyperparameters
        return [1.0 + (hp.momentum - 0.8) ** 2 if hp.optimizer == "sgd" else 1.5] * request.epochs

    (arm,) = run_search(directory(ram_path / "toy"), study("tpe", 60), ToyPool(curve=steep))
    late = [trial.params for trial in arm.finished_trials()[30:]]
    found = [params["momentum"] for params in late if params["optimizer"] == "sgd"]
    assert len(found) > 20
    assert sum(abs(each - 0.8) < 0.2 for each in found) > 0.6 * len(found)


@pytest.mark.parametrize("sampler", REFUSING)
def test_other_samplers_refuse_and_name_those_that_can(sampler: str) -> None:
    message = f"^sampler {sampler} can't search .*momentum.*; use one of cmaes, gp, lcb, qmc, "
    with pytest.raises(UserError, match=message):
        samplers.check(sampler, study("tpe").space.at({}), trials=3)


def test_cmaes_needs_two_numbers_that_every_trial_has() -> None:
    search = {**SEARCH, "depth": IntDistribution(1, 1)}
    with pytest.raises(UserError, match=r"sampler cmaes needs two numeric .* has 1"):
        toy_study(compare={}, search=search, sampler="cmaes")


def test_enqueued_values_decide_what_applies(ram_path: Path) -> None:
    other = directory(ram_path / "other")
    of = study("tpe", 2)
    search = ArmSearch("toy", of, of.arms()[0], open_storage(sqlite_url(other.database)), other)
    search.enqueue([
        {"optimizer": "sgd", "momentum": 0.25, "depth": 1, "units_1": 4, "units_3": 16},
        {"optimizer": "adam", "momentum": 0.25, "depth": 2},
    ])  # fmt: skip
    first, second = search.next().params, search.next().params
    assert first["momentum"] == 0.25
    assert set(first) == {"optimizer", "momentum", "depth", "units_1", "learning_rate"}
    assert set(second) == {"optimizer", "depth", "units_1", "units_2", "learning_rate"}


def test_an_imported_trial_has_what_applies(ram_path: Path) -> None:
    root, of = directory(ram_path / "toy"), study("tpe", 4)
    search = ArmSearch("toy", of, of.arms()[0], open_storage(sqlite_url(root.database)), root)
    params = {"optimizer": "adam", "depth": 1, "units_1": 8, "learning_rate": 1e-3}
    assert search.import_trial("elsewhere", params, 0.4, 0.8, {1: 0.4})
    assert search.trials()[0].params == params
    assert len(search.next().params) >= 4
