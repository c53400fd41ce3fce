"""One time step of each recurrent cell and its derivative, written for a scan.

The scan (`harness.recurrent.scan`) has already multiplied the whole sequence by the input kernel:
a cell gets that projection `p` (batch, gates·units), input bias included, and what is left to do
step by step. What the derivative needs is saved on the way forward, so nothing is computed twice.
Gate orders, biases and activations are those of keras.layers.SimpleRNN, GRU (reset_after) and LSTM.
"""

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

Tensor = Any  # TensorFlow ships no types


class Weights(NamedTuple):
    """A layer's weights: `kernel` (features, gates·units), `recurrent_kernel` (units,
    gates·units), and the biases added to either product, (gates·units,) each;
    `recurrent_bias` is None where the cell has one bias only.
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor
    recurrent_bias: Tensor | None


State = tuple[Tensor, ...]  # each (batch, units), hidden state first


class Cell(Protocol):
    """`state` is a tuple of (batch, units) tensors, hidden state first."""

    gates: int  # blocks of `units` columns in the kernels
    states: int  # tensors in the state
    saved: int  # blocks of `units` columns that `forward` saves for `backward`

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        """One step: the new state, and what to save, (batch, saved·units)."""

    def backward(
        self,
        d_state: State,
        saved: Tensor,
        state: State,
        previous: State,
    ) -> tuple[Tensor, Tensor, State]:
        """From the gradient of the new `state`: the gradient of `p`; that of the recurrent
        product (state @ recurrent_kernel + recurrent_bias); and the part of the gradient of
        the `previous` state that does not pass through that product.
        """

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        """The gradient of the recurrent product, of all steps at once, from that of `p`."""


class SimpleRNN:
    """h = tanh(p + h' U)."""

    gates, states, saved = 1, 1, 0

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        return (tf.tanh(p + tf.matmul(state[0], weights.recurrent_kernel)),), None

    def backward(
        self,
        d_state: State,
        saved: Tensor,
        state: State,
        previous: State,
    ) -> tuple[Tensor, Tensor, State]:
        d_p = d_state[0] * (1.0 - tf.square(state[0]))
        return d_p, d_p, (tf.zeros_like(d_p),)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        return d_p


class GRU:
    """z, r = σ(p + q) with q = h' U + b; ĥ = tanh(p + r·q); h = z·h' + (1 − z)·ĥ.

    The reset gate acts after the matrix product (`reset_after=True`, Keras's default and cuDNN's
    formula). Saved: z, r, ĥ and the candidate's block of q.
    """

    gates, states, saved = 3, 1, 4

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        h = state[0]
        q = tf.matmul(h, weights.recurrent_kernel) + weights.recurrent_bias
        p_z, p_r, p_h = tf.split(p, 3, axis=1)
        q_z, q_r, q_h = tf.split(q, 3, axis=1)
        z = tf.sigmoid(p_z + q_z)
        r = tf.sigmoid(p_r + q_r)
        candidate = tf.tanh(p_h + r * q_h)
        h = z * h + (1.0 - z) * candidate
        return (h,), tf.concat([z, r, candidate, q_h], axis=1)

    def backward(
        self,
        d_state: State,
        saved: Tensor,
        state: State,
        previous: State,
    ) -> tuple[Tensor, Tensor, State]:
        d_h = d_state[0]
        z, r, candidate, q_h = tf.split(saved, 4, axis=1)
        d_candidate = d_h * (1.0 - z) * (1.0 - tf.square(candidate))
        d_z = d_h * (previous[0] - candidate) * z * (1.0 - z)
        d_r = d_candidate * q_h * r * (1.0 - r)
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

    def backward(
        self,
        d_state: State,
        saved: Tensor,
        state: State,
        previous: State,
    ) -> tuple[Tensor, Tensor, State]:
        d_h, d_c = d_state
        i, f, g, o = tf.split(saved, 4, axis=1)
        tanh_c = tf.tanh(state[1])
        d_c = d_c + d_h * o * (1.0 - tf.square(tanh_c))
        d_p = tf.concat(
            [
                d_c * g * i * (1.0 - i),
                d_c * previous[1] * f * (1.0 - f),
                d_c * i * (1.0 - tf.square(g)),
                d_h * tanh_c * o * (1.0 - o),
            ],
            axis=1,
        )
        return d_p, d_p, (tf.zeros_like(d_h), d_c * f)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        return d_p


CELLS: dict[str, Cell] = {"rnn": SimpleRNN(), "gru": GRU(), "lstm": LSTM()}
