"""One time step of each recurrent cell and its derivative, written for a scan.

The scan (`harness.training.recurrent.scan`) multiplies the whole sequence by the input kernel
first. A cell gets that projection `p` (batch, gates·units), with the input bias, and computes the
rest step by step. In the backward pass a step is linear in the gradient that arrives; its
coefficients are known from the forward pass. Gate orders, biases and activations are those of
keras.layers.SimpleRNN, GRU (reset_after) and LSTM.
"""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

Tensor = Any  # TensorFlow ships no types


class Weights(NamedTuple):
    """The weights of a layer.

    `kernel` is (features, gates·units), `recurrent_kernel` (units, gates·units). The biases are
    added to the two products, (gates·units,) each. `recurrent_bias` is None where the cell has
    only one bias.
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor
    recurrent_bias: Tensor | None


State = tuple[Tensor, ...]  # each (batch, units), or (time, batch, units); hidden state first


class Cell(Protocol):
    """What a scan needs of a cell.

    Gradients are named d_…; q is state @ recurrent_kernel, plus its bias if the cell has one.
    """

    gates: int  # blocks of `units` columns in the kernels
    states: int  # tensors in the state
    saved: int  # blocks of `units` columns that `forward` saves

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        """One step: the new state, and what to save, (batch, saved·units)."""

    def coefficients(self, states: State, previous: State, saved: Tensor) -> State:
        """The factors of `backward`: elementwise, for one step or for all steps at once."""

    def backward(self, d_state: State, coefficients: State) -> tuple[Tensor, Tensor, State]:
        """One step back, from the complete gradient of its state.

        Returns the gradients of p and of q, and the part of the previous state's gradient that
        does not pass through q.
        """

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        """The gradient of q, for all steps, from that of p."""


class SimpleRNN:
    """h = tanh(p + h' U)."""

    gates, states, saved = 1, 1, 0

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        return (tf.tanh(p + tf.matmul(state[0], weights.recurrent_kernel)),), None

    def coefficients(self, states: State, previous: State, saved: Tensor) -> State:
        return (1.0 - tf.square(states[0]),)

    def backward(self, d_state: State, coefficients: State) -> tuple[Tensor, Tensor, State]:
        d_p = d_state[0] * coefficients[0]
        return d_p, d_p, (tf.zeros_like(d_p),)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        return d_p


class GRU:
    """z, r = σ(p + q); ĥ = tanh(p + r·q); h = z·h' + (1 − z)·ĥ; with q = h' U + b.

    The reset gate acts after the matrix product (`reset_after=True`, Keras's default and cuDNN's
    formula). Saved: z, r, ĥ and the candidate's block of q.
    """

    gates, states, saved = 3, 1, 4

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        h = state[0]
        units = h.shape[-1]
        q = tf.matmul(h, weights.recurrent_kernel) + weights.recurrent_bias
        gates = _sigmoid(p[:, : 2 * units] + q[:, : 2 * units])
        z, r = tf.split(gates, 2, axis=1)
        q_h = q[:, 2 * units :]
        candidate = tf.tanh(p[:, 2 * units :] + r * q_h)
        h = z * h + (1.0 - z) * candidate
        return (h,), tf.concat([gates, candidate, q_h], axis=1)

    def coefficients(self, states: State, previous: State, saved: Tensor) -> State:
        z, r, candidate, q_h = tf.split(saved, 4, axis=-1)
        of_candidate = (1.0 - z) * (1.0 - tf.square(candidate))
        of_z = (previous[0] - candidate) * z * (1.0 - z)
        of_r = of_candidate * q_h * r * (1.0 - r)
        return z, r, of_z, of_r, of_candidate

    def backward(self, d_state: State, coefficients: State) -> tuple[Tensor, Tensor, State]:
        d_h = d_state[0]
        z, r, of_z, of_r, of_candidate = coefficients
        d_z, d_r, d_candidate = d_h * of_z, d_h * of_r, d_h * of_candidate
        d_p = tf.concat([d_z, d_r, d_candidate], axis=1)
        d_q = tf.concat([d_z, d_r, d_candidate * r], axis=1)
        return d_p, d_q, (d_h * z,)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        d_z, d_r, d_candidate = tf.split(d_p, 3, axis=-1)
        r = tf.split(saved, 4, axis=-1)[1]
        return tf.concat([d_z, d_r, d_candidate * r], axis=-1)


class LSTM:
    """i, f, o = σ(p + h' U); g = tanh(…); c = f·c' + i·g; h = o·tanh(c). Order i, f, g, o."""

    gates, states, saved = 4, 2, 4

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        h, c = state
        # One tanh over all four blocks, as σ(x) = (1 + tanh(x/2))/2: g is scaled by 1, not 1/2.
        units = h.shape[-1]
        half = tf.constant([[0.5] * (2 * units) + [1.0] * units + [0.5] * units])
        shift = tf.constant([[0.5] * (2 * units) + [0.0] * units + [0.5] * units])
        gates = tf.tanh((p + tf.matmul(h, weights.recurrent_kernel)) * half) * half + shift
        i, f, g, o = tf.split(gates, 4, axis=1)
        c = f * c + i * g
        return (o * tf.tanh(c), c), gates

    def coefficients(self, states: State, previous: State, saved: Tensor) -> State:
        i, f, g, o = tf.split(saved, 4, axis=-1)
        tanh_c = tf.tanh(states[1])
        return (
            o * (1.0 - tf.square(tanh_c)),
            f,
            g * i * (1.0 - i),
            previous[1] * f * (1.0 - f),
            i * (1.0 - tf.square(g)),
            tanh_c * o * (1.0 - o),
        )

    def backward(self, d_state: State, coefficients: State) -> tuple[Tensor, Tensor, State]:
        d_h, d_c = d_state
        h_of_c, f, of_i, of_f, of_g, of_o = coefficients
        d_c = d_c + d_h * h_of_c
        d_p = tf.concat([d_c * of_i, d_c * of_f, d_c * of_g, d_h * of_o], axis=1)
        return d_p, d_p, (tf.zeros_like(d_h), d_c * f)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        return d_p


CELLS: dict[str, Cell] = {"rnn": SimpleRNN(), "gru": GRU(), "lstm": LSTM()}


def _sigmoid(x: Tensor) -> Tensor:
    """σ by tanh, which is faster on XLA:CPU."""
    return 0.5 * tf.tanh(0.5 * x) + 0.5
