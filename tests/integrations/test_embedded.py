"""A study inside KerasTuner and Optuna: the same space, the same trainings, their own books."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import keras_tuner as kt
import numpy as np
import optuna
import pytest
from document_testing import YOUR_OWN_STUDY, blocks

import harness
from harness.core.errors import UserError
from harness.integrations.embedded import Embedded
from harness.models import StackedRNN
from harness.search.arm_search import ATTRIBUTES

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

DECLARED = """
from harness import (Budget, CategoricalDistribution, FloatDistribution, IntDistribution, Parity,
                     Study)

study = Study(
    dataset=Parity(train=64, validation=32, test=32, length=6),
    compare={"cell": ["gru", "rnn"]},
    search={"units": IntDistribution(2, 4, log=True),
            "sequence_length": CategoricalDistribution([5, 7]),
            "learning_rate": FloatDistribution(1e-3, 1e-1, log=True)},
    fixed={"vocabulary": 10, "embedding_dim": 2, "batch_size": 16},
    budget=Budget(trials=2, epochs=2))
"""


@pytest.fixture
def declared(tmp_path: Path) -> str:
    file = tmp_path / "tiny.py"
    file.write_text(DECLARED)
    return str(file)


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    keras.backend.clear_session()


def search(tuner: Any, **options: Any) -> Any:
    tuner.search(verbose=0, **options)
    return tuner


def test_kerastuner_searches_the_studys_space(declared: str, tmp_path: Path) -> None:
    model = StackedRNN.from_study(declared)
    tuner = search(
        kt.RandomSearch(
            model, objective="val_loss", max_trials=2, seed=1, directory=tmp_path / "kt",
            project_name="a",
        )
    )  # fmt: skip
    assert {each.name for each in tuner.oracle.get_space().space} == {
        "cell", "units", "sequence_length", "learning_rate",
    }  # fmt: skip
    best = tuner.oracle.get_best_trials(1)[0]
    arm, hyperparameters = model.hyperparameters(best.hyperparameters)
    losses: list[float] = []
    model.train(
        arm, hyperparameters, seed=model.study.seed, epochs=2,
        on_epoch=lambda epoch: losses.append(epoch.val_loss) or True,
    )  # fmt: skip
    assert best.score == min(losses)
    # The weights on file are those of the best epoch, in a model of stock layers.
    kept = tuner.get_best_models(1)[0]
    data = model.study.dataset_of(arm).load(
        "validation", sequence_length=hyperparameters.sequence_length, vocabulary=10
    )
    assert kept.evaluate(data.x, data.y, verbose=0)[0] == pytest.approx(best.score, rel=1e-4)


@pytest.mark.slow
def test_hyperband_continues_from_weights(declared: str, tmp_path: Path) -> None:
    tuner = search(
        kt.Hyperband(
            StackedRNN.from_study(declared), objective="val_accuracy", max_epochs=2, factor=2,
            seed=1, directory=tmp_path / "kt", project_name="a",
        )
    )  # fmt: skip
    trials = tuner.oracle.trials.values()
    continued = [t for t in trials if t.hyperparameters.values.get("tuner/initial_epoch")]
    assert continued
    assert all(trial.status == "COMPLETED" for trial in trials)


def test_training_starts_from_given_weights(declared: str) -> None:
    embedded = Embedded.from_study(declared)
    arm = embedded.study.arms()[0]
    hyperparameters = embedded.study.hyperparameters(
        arm, {"units": 4, "sequence_length": 7, "learning_rate": 1e-30}
    )
    shapes = embedded.train(arm, hyperparameters, seed=0, epochs=1, on_epoch=lambda epoch: True)
    weights = [np.full_like(each, 0.1) for each in embedded.trainer.weights()]
    again = embedded.train(
        arm, hyperparameters, seed=0, epochs=1, on_epoch=lambda epoch: True, initial=weights
    )
    assert again.parameters == shapes.parameters
    for left, given in zip(embedded.trainer.weights(), weights, strict=True):
        np.testing.assert_allclose(left, given)


def test_data_of_ones_own_is_refused_by_name(declared: str) -> None:
    model = StackedRNN.from_study(declared)
    hp = kt.HyperParameters()
    built = model.build(hp)
    with pytest.raises(UserError, match="validation_data"):
        model.fit(hp, built, validation_data=([], []))
    with pytest.raises(UserError, match="x and y"):
        model.fit(hp, built, [], [])


def test_callbacks_may_stop_it(declared: str) -> None:
    model = StackedRNN.from_study(declared)
    hp = kt.HyperParameters()
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(built, "stop_training", True)
    )
    built = model.build(hp)
    history = model.fit(hp, built, epochs=3, callbacks=[stop])
    assert len(history.history["val_loss"]) == 1


def test_optuna_optimises_it(declared: str) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(harness.optuna_objective(declared), n_trials=2)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE"]
    best = study.best_trial
    assert set(best.params) == {"cell", "units", "sequence_length", "learning_rate"}
    assert best.value == min(best.intermediate_values.values())
    assert list(best.intermediate_values) == [1, 2]
    assert best.user_attrs["parameters"] > 0
    assert set(best.user_attrs) == set(ATTRIBUTES)


def test_optuna_prunes_it(declared: str) -> None:
    pruner = optuna.pruners.ThresholdPruner(upper=-1.0)
    study = optuna.create_study(pruner=pruner, sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(harness.optuna_objective(declared), n_trials=1)
    (trial,) = study.trials
    assert trial.state.name == "PRUNED"
    assert list(trial.intermediate_values) == [1]


def values_of(objective: Any, rates: list[float], jobs: int) -> dict[float, float]:
    """The value of each learning rate, with the other hyperparameters fixed."""
    study = optuna.create_study()
    for rate in rates:
        study.enqueue_trial(
            {"cell": "gru", "units": 3, "sequence_length": 7, "learning_rate": rate}
        )
    study.optimize(objective, n_trials=len(rates), n_jobs=jobs)
    return {trial.params["learning_rate"]: trial.value for trial in study.trials}


def test_threads_find_the_same_values(declared: str) -> None:
    """Also those of another objective that trains in the same process."""
    rates = [0.001, 0.1, 0.003, 0.05, 0.002, 0.02]
    objective = harness.optuna_objective(declared)
    alone = values_of(objective, rates, jobs=1)
    assert len(set(alone.values())) == len(rates)
    assert values_of(objective, rates, jobs=3) == alone
    found: list[dict[float, float]] = []
    threads = [
        threading.Thread(target=lambda o=each: found.append(values_of(o, rates[:3], jobs=1)))
        for each in (objective, harness.optuna_objective(declared))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [{rate: alone[rate] for rate in rates[:3]}] * 2


def test_a_path_names_a_study(declared: str) -> None:
    assert callable(harness.optuna_objective(Path(declared)))
    assert StackedRNN.from_study(Path(declared)).study.compare == {"cell": ["gru", "rnn"]}
    for wrong in (None, 5, Path("none.py")):
        with pytest.raises(UserError):
            harness.optuna_objective(wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"epochs": 1.5}, {"seed": -1}, {"seed": "1"}])
def test_epochs_and_seed_are_whole_numbers(declared: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=f"^{next(iter(wrong))}: "):
        harness.optuna_objective(declared, **wrong)


@pytest.mark.parametrize("open_study", [harness.optuna_objective, StackedRNN.from_study])
def test_units_that_would_have_to_be_measured_are_refused(open_study: Any) -> None:
    with pytest.raises(UserError, match="the units of such a study are measured when it runs"):
        open_study("lstm_depth_iso_cost")
    open_study("lstm_depth_iso_parameters")


def test_units_follow_from_the_parameters_that_are_held(tmp_path: Path) -> None:
    held = DECLARED.replace('"units": IntDistribution(2, 4, log=True),', "").replace(
        "fixed=", 'hold={"parameters": 120}, fixed='
    )
    file = tmp_path / "held.py"
    file.write_text(held)
    study = optuna.create_study()
    for cell in ("gru", "rnn"):
        study.enqueue_trial({"cell": cell, "sequence_length": 5, "learning_rate": 0.01})
    study.optimize(harness.optuna_objective(file, epochs=1), n_trials=2)
    # With 2 and 5 units; with a single unit they would be 49 and 29.
    assert [trial.user_attrs["parameters"] for trial in study.trials] == [95, 121]


BOTH_WAYS = """
from harness import Budget, CategoricalDistribution, FloatDistribution, Parity, Study

study = Study(
    dataset=Parity(train=32, validation=16, test=16, length=6),
    {kind},
    fixed={{"cell": "gru", "depth": 2, "vocabulary": 10, "embedding_dim": 2, "batch_size": 16,
           "sequence_length": 7{more}}},
    budget=Budget(trials=2, epochs=1))
"""
FORMS = {
    "compared booleans": ("compare={'bidirectional': [False, True]}", ", 'units': 2"),
    "searched booleans": (
        "search={'bidirectional': CategoricalDistribution([True, False])}", ", 'units': 2",
    ),
    "compared units": ("compare={'units': [(2, 3), (3, 2)]}", ""),
    "searched units": ("search={'units': CategoricalDistribution([(2, 3), [3, 2], 2])}", ""),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_choices_of_every_kind_are_searched_by_both(tmp_path: Path, form: str) -> None:
    kind, more = FORMS[form]
    file = tmp_path / "ways.py"
    file.write_text(BOTH_WAYS.format(kind=kind, more=more))
    tuner = search(
        kt.GridSearch(
            StackedRNN.from_study(file), objective="val_loss", directory=tmp_path / "kt",
            project_name="a",
        ),
        epochs=1,
    )  # fmt: skip
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    assert len(trials) == (3 if form == "searched units" else 2)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    study.optimize(harness.optuna_objective(file, epochs=1), n_trials=12)
    values = sorted({trial.value for trial in study.trials})
    assert values == pytest.approx(sorted({trial.score for trial in trials}))


def test_a_project_with_booleans_of_an_older_version_goes_on(declared: str, tmp_path: Path) -> None:
    kind, more = FORMS["searched booleans"]
    file = tmp_path / "ways.py"
    file.write_text(BOTH_WAYS.format(kind=kind, more=more))
    hp = kt.HyperParameters()
    hp.Choice("bidirectional", [True, False])  # KerasTuner makes 1 and 0 of them
    hp.values["bidirectional"] = 0
    _, hyperparameters = StackedRNN.from_study(file).hyperparameters(hp)
    assert hyperparameters.bidirectional is False


def test_the_documentation_shows_it() -> None:
    shown = "\n".join(blocks(YOUR_OWN_STUDY, "python"))
    assert re.search(r"kt\.Hyperband\(StackedRNN\.from_study\(", shown)
    assert "harness.optuna_objective(" in shown


CONDITIONAL = """
from harness import (Budget, CategoricalDistribution, FloatDistribution, IntDistribution, Parity,
                     Study, UnitsByLayer, When)

study = Study(
    dataset=Parity(train=32, validation=16, test=16, length=6),
    compare={"optimizer": ["adam", "sgd"]},
    search={"momentum": When("optimizer", "sgd", FloatDistribution(0.1, 0.9)),
            "depth": CategoricalDistribution([1, 2]),
            "pooling": CategoricalDistribution(["last", "mean"]),
            "dropout": When("pooling", "mean", FloatDistribution(0.1, 0.3)),
            "units": UnitsByLayer(2, 3)},
    fixed={"vocabulary": 10, "embedding_dim": 2, "sequence_length": 6, "batch_size": 16},
    budget=Budget(trials=2, epochs=1))
"""


@pytest.fixture
def conditional(tmp_path: Path) -> str:
    file = tmp_path / "conditional.py"
    file.write_text(CONDITIONAL)
    return str(file)


def wanted(values: dict[str, Any]) -> set[str]:
    """The names of what applies beside these values."""
    names = {"optimizer", "depth", "pooling", "units_1"}
    names |= {"units_2"} if values["depth"] == 2 else set()
    names |= {"momentum"} if values["optimizer"] == "sgd" else set()
    return names | ({"dropout"} if values["pooling"] == "mean" else set())


def test_kerastuner_knows_the_conditions(conditional: str) -> None:
    model = StackedRNN.from_study(conditional)
    seen = set()
    for optimizer in ("adam", "sgd"):
        for depth in (1, 2):
            for pooling in ("last", "mean"):
                chosen = kt.HyperParameters()
                chosen.values = {"optimizer": optimizer, "depth": depth, "pooling": pooling}
                arm, hyperparameters = model.hyperparameters(chosen)
                active = {each.name for each in chosen.space if chosen.is_active(each)}
                assert active == wanted(chosen.values)
                assert arm.name == f"optimizer={optimizer}"
                assert (hyperparameters.momentum > 0) == (optimizer == "sgd")
                assert (hyperparameters.dropout > 0) == (pooling == "mean")
                assert len(hyperparameters.units_per_layer) == depth
                seen.add(hyperparameters)
    assert len(seen) == 8


def test_optuna_is_asked_only_for_what_applies(conditional: str) -> None:
    study = optuna.create_study()
    for optimizer, depth in (("adam", 1), ("sgd", 2)):
        study.enqueue_trial({"optimizer": optimizer, "depth": depth})
    study.optimize(harness.optuna_objective(conditional, epochs=1), n_trials=2)
    assert all(set(trial.params) == wanted(trial.params) for trial in study.trials)
    assert len({trial.params["optimizer"] for trial in study.trials}) == 2
