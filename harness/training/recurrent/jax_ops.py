"""Cells and layers in JAX: what `tensorflow_ops` has, under the same names."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras

Array = Any

abs, square, tanh = jnp.abs, jnp.square, jnp.tanh
elu, relu, softsign = jax.nn.elu, jax.nn.relu, jax.nn.soft_sign
ones, ones_like, where, zeros_like = jnp.ones, jnp.ones_like, jnp.where, jnp.zeros_like
float32, reshape, transpose = jnp.float32, jnp.reshape, jnp.transpose


def add_n(arrays: Sequence[Array]) -> Array:
    total, *rest = arrays
    for each in rest:
        total = total + each
    return total


def cast(x: Array, dtype: Any) -> Array:
    return x.astype(dtype)


def concat(arrays: Sequence[Array], axis: int) -> Array:
    return jnp.concatenate(arrays, axis=axis)


def constant(values: Any) -> Array:
    return jnp.asarray(values, jnp.float32)


def convert_to_tensor(x: Any) -> Array:
    return keras.ops.convert_to_tensor(x)


def identity(x: Array) -> Array:
    return x


def matmul(a: Array, b: Array, transpose_a: bool = False, transpose_b: bool = False) -> Array:
    """The product of two matrices, contracted where they are and not transposed first."""
    return product(a, b, (0 if transpose_a else 1,), (1 if transpose_b else 0,))


def product(a: Array, b: Array, of_a: tuple[int, ...], of_b: tuple[int, ...]) -> Array:
    """The product over these axes, in float32.

    Where one factor is bfloat16, the other one is rounded to it, and the sums are float32.
    """
    if a.dtype != b.dtype:
        a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    contracted = ((of_a, of_b), ((), ()))
    return jax.lax.dot_general(a, b, contracted, preferred_element_type=jnp.float32)


def reverse(x: Array, axis: Sequence[int]) -> Array:
    return jnp.flip(x, axis)


def split(x: Array, parts: int, axis: int) -> list[Array]:
    return list(jnp.split(x, parts, axis))


def unstack(x: Array) -> list[Array]:
    return list(x)


def size(x: Array, axis: int) -> int:
    """A dimension."""
    found: int = x.shape[axis]
    return found


class _Rate:
    """A variable of Keras that no layer counts among its weights: layers track variables alone."""

    def __init__(self, rate: float) -> None:
        self.variable = keras.Variable(
            rate, trainable=False, dtype="float32", autocast=False, name="rate"
        )

    def assign(self, rate: float) -> None:
        self.variable.assign(rate)


def rate_variable(rate: float) -> _Rate:
    return _Rate(rate)


def dropout(inputs: Array, rate: _Rate, generator: Any) -> Array:
    """keras.random.dropout for a rate that is known only when the program is called."""
    kept = 1.0 - rate.variable.value
    drawn = jax.random.bernoulli(generator.next(), kept, inputs.shape)
    return jnp.where(drawn, inputs / kept, 0.0).astype(inputs.dtype)
