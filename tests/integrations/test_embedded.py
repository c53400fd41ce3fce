"""A study inside KerasTuner and Optuna: the same space, the same trainings, their own books."""

import re
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


def test_the_documentation_shows_it() -> None:
    shown = "\n".join(blocks(YOUR_OWN_STUDY, "python"))
    assert re.search(r"kt\.Hyperband\(StackedRNN\.from_study\(", shown)
    assert "harness.optuna_objective(" in shown
