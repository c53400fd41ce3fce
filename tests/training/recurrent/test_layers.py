"""The scan layers are Keras's in configuration and weights, and refuse what they cannot do."""

import os

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import tensorflow as tf

from harness.spec.training_options import ACTIVATIONS
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
        (ScanLSTM, {"activation": "selu"}),
        (ScanLSTM, {"recurrent_activation": "tanh"}),
        (ScanLSTM, {"dropout": 0.1}),
        (KernelLSTM, {"use_bias": False}),
        (ScanGRU, {"reset_after": False}),
    ],
)
def test_what_the_scan_does_not_do_is_refused_by_name(layer, argument):
    with pytest.raises(ValueError, match=next(iter(argument))):
        layer(3, **argument)


def test_a_carried_state_is_refused():
    layer = ScanLSTM(3)
    x = np.zeros((2, 4, 5), np.float32)
    zeros = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match="initial_state"):
        layer(x, initial_state=[zeros, zeros])


@pytest.mark.parametrize("cell", STOCK)
@pytest.mark.parametrize(
    ("path", "activation"), [("xla-kernel", "relu"), *(("xla-scan", name) for name in ACTIVATIONS)]
)
def test_each_activation_gives_the_gradients_of_keras(activation, cell, path):
    x = np.random.default_rng(0).normal(0.0, 1.0, (3, 5, 4)).astype(np.float32)
    found = []
    for kind in (LAYERS[path][cell], STOCK[cell]):
        keras.utils.set_random_seed(1)
        layer = kind(3, activation=activation, return_sequences=True)
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.square(layer(inputs)))
        found.append([loss, *tape.gradient(loss, [inputs, *(w.value for w in layer.weights)])])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize("cell", STOCK)
@pytest.mark.parametrize("backwards", [False, True])
def test_recurrent_dropout_is_that_of_keras_given_the_same_masks(
    cell, path, backwards, monkeypatch
):
    """One mask for each gate, the same at all steps; Keras draws other numbers."""
    x = np.random.default_rng(0).normal(0.0, 1.0, (2, 5, 4)).astype(np.float32)
    stock = STOCK[cell](
        3, recurrent_dropout=0.5, return_sequences=True, go_backwards=backwards, seed=4
    )
    stock.build(x.shape)
    dropped = stock.cell._create_dropout_mask(tf.ones((2, 3)), 0.5)
    factors = tf.stack(dropped if isinstance(dropped, list) else [dropped])
    assert set(np.unique(factors)) == {0.0, 2.0}
    ours = LAYERS[path][cell](
        3, recurrent_dropout=0.5, return_sequences=True, go_backwards=backwards
    )
    ours.build(x.shape)
    ours.set_weights(stock.get_weights())
    monkeypatch.setattr(stock.cell, "_create_dropout_mask", lambda *_: dropped)
    monkeypatch.setattr("harness.training.recurrent.tensorflow_ops.dropout", lambda *_: factors)
    found = []
    for layer in (ours, stock):
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            loss = tf.reduce_sum(tf.square(layer(inputs, training=True)))
        found.append([loss, *tape.gradient(loss, [inputs, *(w.value for w in layer.weights)])])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(ours(x), stock(x), rtol=1e-5, atol=1e-6)  # none when not training


@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("cell", STOCK)
def test_a_mask_acts_as_in_keras(cell, sequences, backwards, zeros):
    x = np.random.default_rng(0).normal(0.0, 1.0, (4, 5, 2)).astype(np.float32)
    mask = np.array([[0, 0, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 1, 0, 1], [0, 0, 0, 0, 0]], bool)
    found = []
    for kind in (LAYERS["xla-scan"][cell], STOCK[cell]):
        keras.utils.set_random_seed(1)
        layer = kind(
            3, return_sequences=sequences, go_backwards=backwards, zero_output_for_mask=zeros
        )
        inputs = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            output = layer(inputs, mask=tf.constant(mask))
            loss = tf.reduce_sum(tf.square(output - 0.3))
        weights = [w.value for w in layer.weights]
        found.append([output, *tape.gradient(loss, [inputs, *weights])])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_recurrent_dropout_draws_one_mask_a_sequence_at_the_rate_of_its_variable():
    layer = ScanLSTM(40, recurrent_dropout=0.5, seed=1)
    layer.build((None, 3, 2))

    @tf.function(jit_compile=True, autograph=False)
    def drawn():
        return layer._dropped(50)

    for rate in (0.5, 0.1):
        layer.set_rate(rate)
        factors, again = drawn().numpy(), drawn().numpy()
        assert factors.shape == (4, 50, 40)
        assert abs((factors == 0.0).mean() - rate) < 0.03
        np.testing.assert_allclose(factors[factors != 0.0], 1.0 / (1.0 - rate), rtol=1e-6)
        assert (factors != again).any()


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
