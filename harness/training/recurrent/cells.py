"""One time step of each recurrent cell and its derivative, written for a scan.

The scan (`harness.training.recurrent.scan`) multiplies the whole sequence by the input kernel
first. A cell gets that projection `p` (batch, gates·units), with the input bias, and computes the
rest step by step. In the backward pass a step is linear in the gradient that arrives; its
coefficients are known from the forward pass. Gate orders, biases and activations are those of
keras.layers.SimpleRNN, GRU (reset_after) and LSTM.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from harness.training.recurrent.ops import ops

Tensor = Any  # of TensorFlow or JAX


class Activation(NamedTuple):
    """A function, and its derivative given the function's value."""

    function: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]


def _sigmoid(x: Tensor) -> Tensor:
    """σ by tanh, which is faster on XLA:CPU."""
    return 0.5 * ops.tanh(0.5 * x) + 0.5


TANH = Activation(ops.tanh, lambda y: 1.0 - ops.square(y))
ACTIVATIONS = {
    "tanh": TANH,
    "relu": Activation(ops.relu, lambda y: ops.cast(y > 0.0, y.dtype)),
    "sigmoid": Activation(_sigmoid, lambda y: y * (1.0 - y)),
    "elu": Activation(ops.elu, lambda y: ops.where(y > 0.0, ops.ones_like(y), y + 1.0)),
    "softsign": Activation(ops.softsign, lambda y: ops.square(1.0 - ops.abs(y))),
    "linear": Activation(ops.identity, ops.ones_like),
}


class Weights(NamedTuple):
    """The weights of a layer.

    `kernel` is (features, gates·units), `recurrent_kernel` (units, gates·units). The biases are
    added to the two products, (gates·units,) each. `recurrent_bias` is None where the cell has
    only one bias. `dropped`, (gates, batch, units) or None, has the factors of recurrent dropout:
    for each gate the state is multiplied by them before its product.
    """

    kernel: Tensor
    recurrent_kernel: Tensor
    bias: Tensor
    recurrent_bias: Tensor | None
    dropped: Tensor | None = None

    def of_state(self, h: Tensor) -> Tensor:
        """The product of the state, (batch, units), with the recurrent kernel."""
        if self.dropped is None:
            return ops.matmul(h, self.recurrent_kernel)
        parts = [ops.matmul(h * factor, kernel) for factor, kernel in self._of_gates()]
        return ops.concat(parts, axis=1)

    def to_state(self, d_q: Tensor) -> Tensor:
        """The gradient of the state, given that of the product, (batch, gates·units)."""
        if self.dropped is None:
            return ops.matmul(d_q, self.recurrent_kernel, transpose_b=True)
        gates = self._of_gates()
        of_gates = zip(ops.split(d_q, len(gates), axis=1), gates, strict=True)
        return ops.add_n(
            [ops.matmul(d, k, transpose_b=True) * factor for d, (factor, k) in of_gates]
        )

    def to_kernel(self, h: Tensor, d_q: Tensor) -> Tensor:
        """The gradient of the recurrent kernel, given all states and all gradients of products.

        `h` is (time, batch, units), `d_q` (time, batch, gates·units).
        """
        if self.dropped is None:
            return _outer(h, d_q)
        gates = self.dropped.shape[0]
        return ops.concat(
            [
                _outer(h * factor, d)
                for factor, d in zip(
                    ops.unstack(self.dropped), ops.split(d_q, gates, axis=2), strict=True
                )
            ],
            axis=1,
        )

    def _of_gates(self) -> list[tuple[Tensor, Tensor]]:
        """The factors and the recurrent kernel of each gate."""
        assert self.dropped is not None
        factors = ops.unstack(self.dropped)
        return list(
            zip(factors, ops.split(self.recurrent_kernel, len(factors), axis=1), strict=True)
        )


def _outer(a: Tensor, b: Tensor) -> Tensor:
    """The sum of the outer products over time and batch: (width of a, width of b)."""
    a, b = (ops.reshape(each, (-1, each.shape[-1])) for each in (a, b))
    return ops.matmul(a, b, transpose_a=True)


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


@dataclass(frozen=True)
class SimpleRNN:
    """h = tanh(p + h' U)."""

    activation: Activation = TANH
    gates, states, saved = 1, 1, 0

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        return (self.activation.function(p + weights.of_state(state[0])),), None

    def coefficients(self, states: State, previous: State, saved: Tensor) -> State:
        return (self.activation.slope(states[0]),)

    def backward(self, d_state: State, coefficients: State) -> tuple[Tensor, Tensor, State]:
        d_p = d_state[0] * coefficients[0]
        return d_p, d_p, (ops.zeros_like(d_p),)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        return d_p


@dataclass(frozen=True)
class GRU:
    """z, r = σ(p + q); ĥ = tanh(p + r·q); h = z·h' + (1 − z)·ĥ; with q = h' U + b.

    The reset gate acts after the matrix product (`reset_after=True`, Keras's default and cuDNN's
    formula). Saved: z, r, ĥ and the candidate's block of q.
    """

    activation: Activation = TANH
    gates, states, saved = 3, 1, 4

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        h = state[0]
        units = h.shape[-1]
        q = weights.of_state(h) + weights.recurrent_bias
        gates = _sigmoid(p[:, : 2 * units] + q[:, : 2 * units])
        z, r = ops.split(gates, 2, axis=1)
        q_h = q[:, 2 * units :]
        candidate = self.activation.function(p[:, 2 * units :] + r * q_h)
        h = z * h + (1.0 - z) * candidate
        return (h,), ops.concat([gates, candidate, q_h], axis=1)

    def coefficients(self, states: State, previous: State, saved: Tensor) -> State:
        z, r, candidate, q_h = ops.split(saved, 4, axis=-1)
        of_candidate = (1.0 - z) * self.activation.slope(candidate)
        of_z = (previous[0] - candidate) * z * (1.0 - z)
        of_r = of_candidate * q_h * r * (1.0 - r)
        return z, r, of_z, of_r, of_candidate

    def backward(self, d_state: State, coefficients: State) -> tuple[Tensor, Tensor, State]:
        d_h = d_state[0]
        z, r, of_z, of_r, of_candidate = coefficients
        d_z, d_r, d_candidate = d_h * of_z, d_h * of_r, d_h * of_candidate
        d_p = ops.concat([d_z, d_r, d_candidate], axis=1)
        d_q = ops.concat([d_z, d_r, d_candidate * r], axis=1)
        return d_p, d_q, (d_h * z,)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        d_z, d_r, d_candidate = ops.split(d_p, 3, axis=-1)
        r = ops.split(saved, 4, axis=-1)[1]
        return ops.concat([d_z, d_r, d_candidate * r], axis=-1)


@dataclass(frozen=True)
class LSTM:
    """i, f, o = σ(p + h' U); g = tanh(…); c = f·c' + i·g; h = o·tanh(c). Order i, f, g, o."""

    activation: Activation = TANH
    gates, states, saved = 4, 2, 4

    def forward(self, p: Tensor, state: State, weights: Weights) -> tuple[State, Tensor]:
        h, c = state
        z = p + weights.of_state(h)
        gates = self._gates(z)
        i, f, g, o = ops.split(gates, 4, axis=1)
        c = f * c + i * g
        return (o * self.activation.function(c), c), gates

    def _gates(self, z: Tensor) -> Tensor:
        if self.activation is not TANH:
            i, f, g, o = ops.split(z, 4, axis=1)
            return ops.concat(
                [_sigmoid(i), _sigmoid(f), self.activation.function(g), _sigmoid(o)], axis=1
            )
        # One tanh over all four blocks, as σ(x) = (1 + tanh(x/2))/2: g is scaled by 1, not 1/2.
        units = z.shape[-1] // 4
        half = ops.constant([[0.5] * (2 * units) + [1.0] * units + [0.5] * units])
        shift = ops.constant([[0.5] * (2 * units) + [0.0] * units + [0.5] * units])
        return ops.tanh(z * half) * half + shift

    def coefficients(self, states: State, previous: State, saved: Tensor) -> State:
        i, f, g, o = ops.split(saved, 4, axis=-1)
        of_c = self.activation.function(states[1])
        return (
            o * self.activation.slope(of_c),
            f,
            g * i * (1.0 - i),
            previous[1] * f * (1.0 - f),
            i * self.activation.slope(g),
            of_c * o * (1.0 - o),
        )

    def backward(self, d_state: State, coefficients: State) -> tuple[Tensor, Tensor, State]:
        d_h, d_c = d_state
        h_of_c, f, of_i, of_f, of_g, of_o = coefficients
        d_c = d_c + d_h * h_of_c
        d_p = ops.concat([d_c * of_i, d_c * of_f, d_c * of_g, d_h * of_o], axis=1)
        return d_p, d_p, (ops.zeros_like(d_h), d_c * f)

    def recurrent_gradient(self, d_p: Tensor, saved: Tensor) -> Tensor:
        return d_p


CELLS: dict[str, Callable[[Activation], Cell]] = {"rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}
