"""KerasTuner and Optuna get every hyperparameter of a study, by the study's names."""

import itertools
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import keras
import keras_tuner as kt
import optuna
import pytest

import harness
from harness import Budget, CategoricalDistribution, Characters, Parity, Study, Translation, When
from harness.core.scalars import same
from harness.models import StackedRNN
from harness.spec.hyperparameters import Hyperparameters

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

# By hyperparameter, in the order of those in `Hyperparameters`, two values that it may have.
VALUES: dict[str, list[Any]] = {
    "cell": ["gru", "lstm"],
    "depth": [1, 2],
    "units": [4, 3],
    "bidirectional": [False, True],
    "embedding_dim": [3, 2],
    "vocabulary": [9, 8],
    "sequence_length": [5, 6],
    "dropout": [0.0, 0.2],
    "learning_rate": [1e-2, 1e-3],
    "batch_size": [8, 16],
    "optimizer": ["adam", "sgd"],
    "momentum": [0.5, 0.9],
    "weight_decay": [None, 0.01],
    "clip_norm": [None, 1.0],
    "schedule": ["constant", "warmup_cosine"],
    "pooling": ["last", "attention"],
    "embedding_dropout": [0.0, 0.1],
    "residual": [False, True],
    "layer_norm": ["none", "output"],
    "recurrent_dropout": [0.0, 0.1],
    "mask": [False, True],
    "label_smoothing": [0.0, 0.1],
    "class_weight": ["none", "balanced"],
    "units_shape": ["equal", "pyramid"],
    "activation": ["tanh", "relu"],
    "kernel_initializer": ["glorot_uniform", "he_normal"],
    "recurrent_initializer": ["orthogonal", "identity"],
}
OF_SPECIAL_DATA = ("pretrained", "decoder_depth", "stateful", "precision")
# Each hyperparameter has its second value in another four of rows 1 to 7. Two different fours have
# a row in common, and each has one that the other lacks, so the rows have each pair of values.
_SECOND = dict(zip(VALUES, itertools.combinations(range(1, 8), 4), strict=False))
ROWS = [
    {name: values[number in _SECOND[name]] for name, values in VALUES.items()}
    for number in range(8)
]
# Rows 0 to 3 have each value, those that are left for THOROUGH=1 each pair of values.
TRAINED = ROWS if os.environ.get("THOROUGH") == "1" else ROWS[:4]


def study() -> Study:
    search: dict[str, Any] = {n: CategoricalDistribution(v) for n, v in VALUES.items()}
    search["momentum"] = When("optimizer", "sgd", search["momentum"])
    return Study(
        dataset=Parity(train=24, validation=8, test=8, length=5),
        search=search,
        budget=Budget(trials=1, epochs=1),
    )


def wanted(row: dict[str, Any]) -> Hyperparameters:
    left_out = () if row["optimizer"] == "sgd" else ("momentum",)
    return Hyperparameters(**{name: v for name, v in row.items() if name not in left_out})


def as_keras_tuner(row: dict[str, Any]) -> kt.HyperParameters:
    """The row as KerasTuner keeps it: text where a choice is None."""
    found = kt.HyperParameters()
    found.values = {
        name: str(value) if None in VALUES[name] else value for name, value in row.items()
    }
    return found


def test_no_hyperparameter_is_forgotten() -> None:
    names = [each.name for each in fields(Hyperparameters)]
    # `own` are those of a model of one's own. The others of the rest need data of their own kind,
    # and have a test below.
    assert [*VALUES, *OF_SPECIAL_DATA, "own"] == names


def test_the_rows_have_each_pair_of_values() -> None:
    for one, other in itertools.combinations(VALUES, 2):
        assert len({(row[one], row[other]) for row in ROWS}) == 4


def test_the_rows_that_are_trained_have_each_value() -> None:
    assert all(len({row[name] for row in TRAINED}) == 2 for name in VALUES)


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_kerastuner_has_the_studys_names_and_values(row: dict[str, Any]) -> None:
    of, hp = StackedRNN.from_study(study()), kt.HyperParameters()
    of.hyperparameters(hp)
    assert {each.name for each in hp.space} == set(VALUES)
    chosen = as_keras_tuner(row)
    assert of.hyperparameters(chosen)[1] == wanted(row)
    model = of.build(chosen)
    assert isinstance(model, keras.Model)
    assert type(model.optimizer).__name__.lower() == row["optimizer"]


def trained_by_optuna(row: dict[str, Any]) -> optuna.trial.FrozenTrial:
    books = optuna.create_study()
    books.enqueue_trial(row)
    books.optimize(harness.optuna_objective(study()), n_trials=1)
    (trial,) = books.trials
    return trial


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=str(number), marks=[] if number == 0 else [pytest.mark.slow])
        for number, row in enumerate(TRAINED)
    ],
)
def test_each_row_trains_alike_in_kerastuner_and_optuna(row: dict[str, Any]) -> None:
    trial = trained_by_optuna(row)
    momentum = {"momentum"} if row["optimizer"] == "sgd" else set()
    assert set(trial.params) == set(VALUES) - {"momentum"} | momentum
    assert all(same(value, row[name]) for name, value in trial.params.items())
    of = StackedRNN.from_study(study())
    chosen = as_keras_tuner(row)
    history = of.fit(chosen, of.build(chosen), epochs=1)
    assert history.history["val_loss"] == pytest.approx([trial.value])
    keras.backend.clear_session()


@pytest.mark.parametrize("name", OF_SPECIAL_DATA)
def test_what_needs_special_data_is_chosen_alike(tmp_path: Path, name: str) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("0 1.0 0.0 0.5\n1 0.0 1.0 0.5\n")
    dataset, values, fixed = {
        "pretrained": (Parity(length=5), [None, str(file)], {"embedding_dim": 3}),
        "decoder_depth": (Translation(), [1, 2], {"sequence_length": 26}),
        "stateful": (Characters(), [False, True], {"sequence_length": Characters().steps}),
        "precision": (Parity(length=5), ["float32", "mixed_bfloat16"], {}),
    }[name]
    search = {name: CategoricalDistribution(values)}
    of = StackedRNN.from_study(
        Study(dataset=dataset, search=search, fixed=fixed, budget=Budget(trials=1, epochs=1))
    )
    for value in values:
        hp = kt.HyperParameters()
        hp.values = {name: str(value) if None in values else value}
        assert getattr(of.hyperparameters(hp)[1], name) == value
