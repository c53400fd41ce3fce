"""Outputs and gradients of a network on one path, compared with those of stock Keras.

On the backend of the process: `KERAS_BACKEND=jax pytest tests/training/test_options.py` compares
the scans of JAX with stock Keras on JAX.
"""

import os

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras

from harness.datasets.base.signature import Signature
from harness.training import networks

TOLERANCE = 1e-5  # of the largest number in each tensor


def outputs_and_gradients(hp, path, batch, *, classes=2, compiled=True, weights=None):
    """Probabilities and the gradient of every weight, by the weight's path in the model."""
    model = networks.build(hp, Signature(classes=classes), path=path, seed=3)
    if weights is not None:
        model.set_weights(weights)
    random = np.random.default_rng(5)
    x = random.integers(0, hp.vocabulary, (batch, hp.sequence_length), dtype=np.int32)
    y = random.integers(0, classes, (batch, 1)).astype(np.float32)
    loss = (
        keras.losses.BinaryCrossentropy()
        if classes == 2
        else keras.losses.SparseCategoricalCrossentropy()
    )

    names = ["probabilities", *(w.path for w in model.trainable_weights)]
    if keras.backend.backend() == "jax":
        return names, _with_jax(model, loss, x, y)
    import tensorflow as tf

    @tf.function(jit_compile=compiled, autograph=False)
    def run(x, y):
        with tf.GradientTape() as tape:
            probabilities = model(x, training=True)
            value = loss(y, probabilities)
        gradients = tape.gradient(value, [w.value for w in model.trainable_weights])
        return [probabilities, *(tf.convert_to_tensor(g) for g in gradients)]

    return names, [t.numpy() for t in run(tf.constant(x), tf.constant(y))]


def _with_jax(model, loss, x, y):
    import jax

    fixed = [v.value for v in model.non_trainable_variables]

    def loss_of(weights):
        probabilities, _ = model.stateless_call(weights, fixed, x, training=True)
        return loss(y, probabilities), probabilities

    run = jax.jit(jax.value_and_grad(loss_of, has_aux=True))
    (_, probabilities), gradients = run([w.value for w in model.trainable_weights])
    return [np.asarray(array) for array in (probabilities, *gradients)]


def larger_weights(hp, classes=2):
    """Weights large enough that gates saturate and gradients are not all near zero.

    But below a spectral radius of 1: above it a SimpleRNN is chaotic, and two orders of
    summation part after some steps, whoever does the summing.
    """
    random = np.random.default_rng(7)
    model = networks.build(hp, Signature(classes=classes), path="keras", seed=3)
    return [
        random.normal(0.0, min(0.4, 0.9 / w.shape[0] ** 0.5), w.shape).astype(np.float32)
        for w in model.weights
    ]


def assert_parity(hp, path, batch, *, classes=2):
    weights = larger_weights(hp, classes)
    names, got = outputs_and_gradients(hp, path, batch, classes=classes, weights=weights)
    _, expected = outputs_and_gradients(
        hp, "keras", batch, classes=classes, compiled=False, weights=weights
    )
    assert_close(names, got, expected)


def assert_close(names, got, expected):
    """Each tensor within TOLERANCE of its largest number.

    A gradient that all but cancels carries the rounding of those it came from: stock Keras with
    XLA differs from stock Keras without by as much. So float32's precision of the largest
    gradient is allowed on top.
    """
    largest = max(np.abs(theirs).max() for theirs in expected[1:])
    for name, ours, theirs in zip(names, got, expected, strict=True):
        assert ours.shape == theirs.shape
        error = np.abs(ours - theirs).max()
        allowed = TOLERANCE * np.abs(theirs).max() + 1e-7 * largest
        assert error <= allowed, f"{name}: error {error:.1e}, {allowed:.1e} is allowed"
