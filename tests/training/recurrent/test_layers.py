"""The scan layers are Keras's in configuration and weights, and refuse what they cannot do."""

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import tensorflow as tf

from harness.training.recurrent.layers import LAYERS, KernelLSTM, RateDropout, ScanGRU, ScanLSTM

STOCK = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize("cell", STOCK)
def test_configuration_and_weights_are_those_of_keras(cell, path):
    ours = LAYERS[path][cell](3, return_sequences=True, name="layer")
    stock = STOCK[cell](3, return_sequences=True, name="layer")
    assert ours.get_config() == stock.get_config()
    ours.build((None, 4, 2))
    stock.build((None, 4, 2))
    assert [(w.path, w.shape) for w in ours.weights] == [(w.path, w.shape) for w in stock.weights]


@pytest.mark.parametrize(
    ("layer", "argument"),
    [
        (ScanLSTM, {"activation": "relu"}),
        (ScanLSTM, {"recurrent_activation": "tanh"}),
        (ScanLSTM, {"dropout": 0.1}),
        (ScanLSTM, {"recurrent_dropout": 0.1}),
        (ScanLSTM, {"stateful": True}),
        (KernelLSTM, {"use_bias": False}),
        (ScanGRU, {"reset_after": False}),
    ],
)
def test_what_the_scan_does_not_do_is_refused_by_name(layer, argument):
    with pytest.raises(ValueError, match=next(iter(argument))):
        layer(3, **argument)


def test_masks_and_carried_state_are_refused():
    layer = ScanLSTM(3)
    x = np.zeros((2, 4, 5), np.float32)
    with pytest.raises(ValueError, match="mask"):
        layer(x, mask=np.ones((2, 4), bool))


def test_dropout_takes_its_rate_from_a_variable():
    layer = RateDropout(0.5, seed=1)
    x = np.ones((200, 50), np.float32)

    @tf.function(jit_compile=True, autograph=False)
    def dropped(x):
        return layer(x, training=True)

    for rate in (0.5, 0.1):
        layer.set_rate(rate)
        y = np.asarray(dropped(x))
        assert abs((y == 0.0).mean() - rate) < 0.02
        np.testing.assert_allclose(y[y != 0.0], 1.0 / (1.0 - rate), rtol=1e-6)
    np.testing.assert_array_equal(layer(x, training=False), x)
    assert layer.weights == []
