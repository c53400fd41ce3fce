"""Counted by formula, and counted by those who know: Keras's weights, TensorFlow's profiler."""

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from harness.datasets.base.signature import BINARY, Signature
from harness.spec import counts
from harness.spec.hyperparameters import BAG, CELLS, Hyperparameters
from harness.spec.training_options import POOLINGS

SMALL = {"embedding_dim": 4, "vocabulary": 20, "sequence_length": 6, "batch_size": 8}


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("units", [(3,), (3, 3), (2, 5, 3)])
@pytest.mark.parametrize("cell", CELLS)
def test_parameters_are_those_of_the_keras_model(cell, units, bidirectional, classes):
    from harness.training import networks

    hp = Hyperparameters(
        cell=cell, depth=len(units), units=units, bidirectional=bidirectional, **SMALL
    )
    model = networks.build(hp, Signature(classes=classes), path="keras", seed=0)
    expected = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert counts.parameters(hp, Signature(classes=classes)) == expected


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("shape", [{"units": 6}, {"units": 6, "units_shape": "pyramid"}])
@pytest.mark.parametrize(("residual", "layer_norm"), [(True, "none"), (True, "output")])
def test_options_with_parameters_are_counted(shape, bidirectional, pooling, residual, layer_norm):
    from harness.training import networks

    hp = Hyperparameters(
        depth=3, bidirectional=bidirectional, pooling=pooling, residual=residual,
        layer_norm=layer_norm, **shape, **SMALL,
    )  # fmt: skip
    model = networks.build(hp, Signature(classes=3), path="keras", seed=0)
    expected = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert counts.parameters(hp, Signature(classes=3)) == expected


def test_flops_of_options_by_hand():
    hp = Hyperparameters(depth=2, units=(6, 3), **SMALL)
    plain = counts.forward_flops(hp, BINARY)
    assert counts.forward_flops(replace(hp, residual=True), BINARY) - plain == 8 * 2 * 6 * 3
    everywhere = replace(hp, residual=True, pooling="mean")
    assert counts.forward_flops(everywhere, BINARY) - plain == 8 * 6 * 2 * 6 * 3
    attention = replace(hp, pooling="attention")
    assert counts.forward_flops(attention, BINARY) - plain == 8 * 6 * 4 * 3
    assert counts.forward_flops(replace(hp, layer_norm="output", mask=True), BINARY) == plain


def test_parameters_of_the_bag_are_embedding_and_head():
    from harness.training import networks

    hp = Hyperparameters(cell=BAG, depth=1, **SMALL)
    model = networks.build(hp, Signature(classes=3), path="keras", seed=0)
    expected = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert counts.parameters(hp, Signature(classes=3)) == expected == 20 * 4 + 5 * 3


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_flops_are_those_that_tensorflow_counts(cell, bidirectional):
    """TensorFlow's profiler counts the products of a graph, forward and backward, by their shapes.

    It counts a loop's body once, and so does XLA's cost analysis, so neither is right for the
    programs that train; here the time steps are unrolled, where it is. Two products fewer are in
    the graph than in the formula: the first time step's zero state needs no gradient.
    """
    import keras
    import tensorflow as tf

    hp = Hyperparameters(cell=cell, depth=2, units=7, bidirectional=bidirectional, **SMALL)
    layer = {"rnn": keras.layers.SimpleRNN, "gru": keras.layers.GRU, "lstm": keras.layers.LSTM}
    wrap = keras.layers.Bidirectional if bidirectional else lambda layer: layer
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            keras.layers.Embedding(20, 4),
            wrap(layer[cell](7, return_sequences=True, unroll=True)),
            wrap(layer[cell](7, unroll=True)),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )

    def forward(x):
        return model(x, training=True)

    def training(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(x, training=True))
        variables = [v.value for v in model.trainable_variables]
        return [tf.convert_to_tensor(g) for g in tape.gradient(loss, variables)]

    assert matmul_flops(forward) == counts.forward_flops(hp, BINARY)
    directions = 2 if bidirectional else 1
    of_zero_state = directions * 2 * 2 * 8 * 7 * counts.GATES[cell] * 7
    counted = matmul_flops(training)
    assert counts.flops_per_step(hp, BINARY) - of_zero_state <= counted
    assert counted <= counts.flops_per_step(hp, BINARY)


def matmul_flops(step):
    """2·rows·columns·inner summed over all products in the function's graph."""
    import tensorflow as tf

    program = tf.function(step, autograph=False).get_concrete_function(
        tf.TensorSpec((8, 6), tf.int32)
    )
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    counted = tf.compat.v1.profiler.profile(program.graph, cmd="op", options=options)
    while counted.name != "MatMul":  # a chain of kinds of operations, each holding those below
        (counted,) = counted.children
    return counted.float_ops


@pytest.mark.jax
@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_flops_are_most_of_what_xla_counts(cell):
    """XLA's cost analysis of an unrolled training step adds the elementwise arithmetic.

    With 64 units that is a tenth at most; with few units, or a loop, it tells nothing about the
    products.
    """
    jax = pytest.importorskip("jax")
    hp = Hyperparameters(
        cell=cell, depth=1, units=64, embedding_dim=64, vocabulary=20, sequence_length=4,
        batch_size=16,
    )  # fmt: skip
    gates = counts.GATES[cell] * 64

    def loss(weights, words):
        table, kernel, recurrent, head = weights
        h = c = jax.numpy.zeros((16, 64))
        for time in range(4):
            z = table[words[:, time]] @ kernel + h @ recurrent
            if cell == "rnn":
                h = jax.numpy.tanh(z)
            else:
                i, f, g, o = jax.numpy.split(z, 4, axis=1)
                c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jax.numpy.tanh(g)
                h = jax.nn.sigmoid(o) * jax.numpy.tanh(c)
        return jax.numpy.mean(h @ head)

    weights = [jax.numpy.ones(s) for s in ((20, 64), (64, gates), (64, gates), (64, 1))]
    words = jax.numpy.zeros((16, 4), dtype="int32")
    compiled = jax.jit(jax.grad(loss)).lower(weights, words).compile()
    analysis = compiled.cost_analysis()
    counted = (analysis[0] if isinstance(analysis, list) else analysis)["flops"]
    assert 0.85 < counts.flops_per_step(hp, BINARY) / counted < 1.15


@given(
    cell=st.sampled_from(CELLS),
    depth=st.integers(1, 5),
    units=st.integers(1, 64),
    length=st.integers(1, 200),
    batch=st.integers(1, 256),
    factor=st.integers(2, 4),
)
@settings(max_examples=50, deadline=None)
def test_costs_grow_as_they_must(cell, depth, units, length, batch, factor):
    hp = Hyperparameters(
        cell=cell, depth=depth, units=units, sequence_length=length, batch_size=batch
    )
    longer = replace(hp, sequence_length=factor * length)
    assert counts.recurrence_iterations(hp) == 2 * depth * length
    assert counts.recurrence_iterations(longer) == factor * counts.recurrence_iterations(hp)
    larger = replace(hp, batch_size=factor * batch)
    assert counts.flops_per_step(larger, BINARY) == factor * counts.flops_per_step(hp, BINARY)
    assert counts.parameters(larger, BINARY) == counts.parameters(longer, BINARY)
    assert counts.parameters(replace(hp, units=factor * units), BINARY) > counts.parameters(
        hp, BINARY
    )


def test_the_seeds_model_by_hand():
    hp = Hyperparameters()  # 2 LSTM layers of 5 units on 32 dimensions, 100 words, batches of 32
    assert counts.parameters(hp, BINARY) == 320_000 + 20 * 37 + 20 + 20 * 10 + 20 + 6
    assert counts.forward_flops(hp, BINARY) == 32 * (100 * 2 * 20 * (37 + 10) + 2 * 5)
    assert counts.recurrence_iterations(hp) == 400
    assert counts.recurrence_iterations(Hyperparameters(cell=BAG, depth=1)) == 0
