"""Cells and layers in TensorFlow: its own operations, and what layers need of variables."""

from typing import Any

import tensorflow as tf

abs, square, tanh = tf.abs, tf.square, tf.tanh
elu, relu, softsign = tf.nn.elu, tf.nn.relu, tf.nn.softsign
ones, ones_like, where, zeros_like = tf.ones, tf.ones_like, tf.where, tf.zeros_like
float32, reshape, transpose = tf.float32, tf.reshape, tf.transpose
add_n, cast, concat, constant = tf.add_n, tf.cast, tf.concat, tf.constant
convert_to_tensor, identity, matmul = tf.convert_to_tensor, tf.identity, tf.matmul
reverse, split, unstack = tf.reverse, tf.split, tf.unstack


def size(x: Any, axis: int) -> Any:
    """A dimension, as a number where it is known."""
    return tf.shape(x)[axis] if x.shape[axis] is None else x.shape[axis]


def rate_variable(rate: float) -> Any:
    """A variable that Keras does not count among a layer's weights."""
    return tf.Variable(rate, trainable=False, dtype=tf.float32)


def dropout(inputs: Any, rate: Any, generator: Any) -> Any:
    """Dropout by Threefry, as in JAX.

    TensorFlow's default, Philox, would take several times as long as the whole rest of a small
    model. TensorFlow has Threefry only under XLA.
    """
    seed = tf.cast(tf.convert_to_tensor(generator.next()), tf.int32)
    return tf.nn.experimental.stateless_dropout(inputs, rate, seed=seed, rng_alg="threefry")
