"""Models have the same layers and initial weights on every path, and become stock models."""

import os
import random

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters
from harness.training import networks
from harness.training.recurrent import PATHS

SMALL = {"units": 3, "embedding_dim": 4, "vocabulary": 20, "sequence_length": 6}


def stock_model(cell, seed):
    """The model as a user of Keras would write it."""
    keras.utils.set_random_seed(seed)
    layer = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
    return keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            keras.layers.Embedding(20, 4),
            layer[cell](3, return_sequences=True),
            keras.layers.Dropout(0.2),
            layer[cell](3),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_initial_weights_are_those_of_stock_keras(cell, path):
    hp = Hyperparameters(cell=cell, depth=2, dropout=0.2, **SMALL)
    model = networks.build(hp, path=path, seed=11)
    expected = stock_model(cell, 11).get_weights()
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_building_leaves_the_callers_random_numbers_alone():
    random.seed(4)
    expected = random.random()
    random.seed(4)
    networks.build(Hyperparameters(**SMALL), path="keras", seed=0)
    assert random.random() == expected


@pytest.mark.parametrize("path", [path for path in PATHS if path != "keras"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_saved_stock_model_predicts_the_same(path, bidirectional, tmp_path):
    hp = Hyperparameters(cell="gru", depth=2, dropout=0.3, bidirectional=bidirectional, **SMALL)
    model = networks.build(hp, Signature(classes=3), path=path, seed=5)
    stock = networks.to_stock(model, hp, Signature(classes=3))
    for layer in stock.layers:
        assert type(layer).__module__.startswith("keras.")
    stock.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = np.arange(24, dtype=np.int32).reshape(4, 6) % 20
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-7
    )


def test_dropout_layers_exist_only_when_asked_for():
    def count(dropout):
        hp = Hyperparameters(dropout=dropout, **SMALL)
        model = networks.build(hp, path="keras", seed=0)
        return sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers)

    assert (count(0.0), count(0.1)) == (0, 2)


def test_an_unknown_path_is_refused_by_name():
    with pytest.raises(ValueError, match="fast"):
        networks.build(Hyperparameters(**SMALL), path="fast", seed=0)
