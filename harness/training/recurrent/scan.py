"""A recurrent layer as one scan over time, written for XLA, with its own gradient.

Three things make it fast. The product with the input kernel does not depend on the state, so it is
one matmul over the whole sequence, outside the loop. The forward loop saves the gates, so the
backward loop computes nothing twice. The gradient of the recurrent kernel is a sum of outer
products over time, so it is one matmul over the whole sequence too, after the backward loop.

Each loop then has only one small matmul and elementwise arithmetic. With few units, starting these
operations costs more than computing them. Then it is faster to compile the whole loop into one
kernel (`one_kernel`).
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from harness.training.recurrent.cells import Cell, State, Tensor, Weights


def scan(
    cell: Cell,
    x: Tensor,
    weights: Weights,
    mask: Tensor | None = None,
    *,
    sequences: bool,
    one_kernel: bool = False,
    initial: State | None = None,
) -> Any:
    """Run `cell` over `x` (time, batch, features) from a zero state, or from `initial`.

    Returns the hidden states, (time, batch, units), or with `sequences=False` the last one,
    (batch, units). Where `mask`, (time, batch, 1), is 0 and not 1, a step leaves the state as it
    was. With `one_kernel` XLA compiles each of the two loops into one kernel, if the
    flags of `harness.training.recurrent.xla` are set. With `initial`, tensors (batch, units), the
    result is (hidden states, the last state); no gradient passes through either state.
    """
    has_recurrent_bias = weights.recurrent_bias is not None
    trained = [w for w in weights[:4] if w is not None]  # the factors of dropout are constants

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def run(x: Tensor, *tensors: Tensor) -> Any:
        recurrent_bias = tensors[3] if has_recurrent_bias else None
        kernel, recurrent_kernel, bias = tensors[:3]
        w = Weights(kernel, recurrent_kernel, bias, recurrent_bias, weights.dropped)
        loops = Loops(cell, w, mask, one_kernel, initial)
        states, saved = loops.forward(_project(x, w))
        hidden = states[0]

        def gradient(d_output: Tensor, *d_last: Tensor) -> list[Tensor]:
            d_p = loops.backward(d_output, saved, states, sequences)
            return _parameter_gradients(cell, x, loops.before(states)[0], saved, d_p, w)

        output = hidden if sequences else hidden[-1]
        if initial is None:
            return output, gradient
        return (output, *(state[-1] for state in states)), gradient

    if initial is None:
        return run(x, *trained)
    output, *last = run(x, *trained)
    return output, tuple(last)


def _project(x: Tensor, weights: Weights) -> Tensor:
    """The part of the gates that comes from the input: (time, batch, gates·units)."""
    time, batch, features = _shape(x)
    flat = tf.matmul(tf.reshape(x, (time * batch, features)), weights.kernel) + weights.bias
    return tf.reshape(flat, (time, batch, flat.shape[-1]))


class Loops(NamedTuple):
    """The two loops over time: forward from the first step, backward from the last one."""

    cell: Cell
    weights: Weights
    mask: Tensor | None  # (time, batch, 1)
    one_kernel: bool
    initial: State | None = None  # None: zeros

    def before(self, states: State) -> State:
        """The states before each step."""
        firsts = self.initial or tuple(tf.zeros_like(state[0]) for state in states)
        pairs = zip(firsts, states, strict=True)
        return tuple(tf.concat([first[None], state[:-1]], axis=0) for first, state in pairs)

    def forward(self, p: Tensor) -> tuple[State, Tensor]:
        """States (each (time, batch, units)) and what the cell saves (time, batch, saved·units)."""
        cell, mask = self.cell, self.mask
        time, batch, _ = _shape(p)
        units = self.weights.recurrent_kernel.shape[0]
        first = self.initial or (tf.zeros((batch, units)),) * cell.states
        widths = [units] * cell.states + ([cell.saved * units] if cell.saved else [])

        def body(t: Tensor, state: State, kept: Sequence[Any]) -> Any:
            new, saved = cell.forward(p[t], state, self.weights)
            if mask is not None:
                new = tuple(
                    tf.where(mask[t] > 0.0, one, other)
                    for one, other in zip(new, state, strict=True)
                )
            values = [*new, saved] if cell.saved else new
            return (
                self._count(t + 1),
                new,
                [k.write(t, v) for k, v in zip(kept, values, strict=True)],
            )

        _, _, kept = tf.while_loop(
            lambda t, *_: t < time,
            body,
            (0, first, [_array(time, p.shape[1], width) for width in widths]),
            maximum_iterations=time,
        )
        stacked = [k.stack() for k in kept]
        return tuple(stacked[: cell.states]), stacked[-1] if cell.saved else None

    def backward(self, d_output: Tensor, saved: Tensor, states: State, sequences: bool) -> Tensor:
        """The gradient of the projection, (time, batch, gates·units)."""
        cell, mask = self.cell, self.mask
        time, batch, units = _shape(states[0])
        zero = tf.zeros((batch, units))
        coefficients = _coefficients(cell, states, self.before(states), saved, self.one_kernel)

        def body(t: Tensor, d_state: State, kept: Any) -> Any:
            if sequences:
                d_state = (d_state[0] + d_output[t], *d_state[1:])
            # A step is linear in its gradient: what a mask leaves out passes beside it.
            through = d_state if mask is None else tuple(d * mask[t] for d in d_state)
            d_p, d_q, d_direct = cell.backward(through, coefficients(t))
            d_previous = (d_direct[0] + self.weights.to_state(d_q), *d_direct[1:])
            if mask is not None:
                beside = zip(d_previous, d_state, strict=True)
                d_previous = tuple(d + (1.0 - mask[t]) * whole for d, whole in beside)
            return self._count(t - 1), d_previous, kept.write(t, d_p)

        d_last = zero if sequences else d_output
        _, _, kept = tf.while_loop(
            lambda t, *_: t >= 0,
            body,
            (
                time - 1,
                (d_last,) + (zero,) * (cell.states - 1),
                _array(time, states[0].shape[1], cell.gates * units),
            ),
            maximum_iterations=time,
        )
        return kept.stack()

    def _count(self, number: Tensor) -> Tensor:
        return number if self.one_kernel else outside_kernels(number)


def _coefficients(
    cell: Cell, states: State, previous: State, saved: Tensor, one_kernel: bool
) -> Callable[[Tensor], State]:
    """A function from the time step to the coefficients of the step back from it."""
    if one_kernel:  # computed where they are used: one kernel keeps them in registers
        return lambda t: cell.coefficients(
            tuple(s[t] for s in states),
            tuple(s[t] for s in previous),
            saved[t] if cell.saved else None,
        )
    # For all steps at once: XLA:CPU vectorizes this well, but not the few rows of one step.
    every = cell.coefficients(states, previous, saved)
    return lambda t: tuple(c[t] for c in every)


def _parameter_gradients(
    cell: Cell, x: Tensor, before: Tensor, saved: Tensor, d_p: Tensor, weights: Weights
) -> list[Tensor]:
    """Gradients of the input and of each weight, in the order of `Weights`.

    `before` has the hidden state before each step.
    """
    time, batch, features = _shape(x)
    rows = time * batch
    d_q = cell.recurrent_gradient(d_p, saved)
    d_p = tf.reshape(d_p, (rows, d_p.shape[-1]))
    gradients = [
        tf.reshape(tf.matmul(d_p, weights.kernel, transpose_b=True), (time, batch, features)),
        tf.matmul(tf.reshape(x, (rows, features)), d_p, transpose_a=True),
        weights.to_kernel(before, d_q),
        tf.reduce_sum(d_p, axis=0),
    ]
    if weights.recurrent_bias is not None:
        gradients.append(tf.reduce_sum(tf.reshape(d_q, (rows, d_q.shape[-1])), axis=0))
    return gradients


def outside_kernels(number: Tensor) -> Tensor:
    """The same number, passed through a sort of two numbers.

    A sort is one of the few operations that XLA:CPU does not compile into one kernel for a loop.
    So a loop with a sort in its counter still calls the library for its matrix products. The sort
    costs too little to be measured.
    """
    return tf.sort(tf.stack([number, tf.constant(tf.int32.max)]))[0]


def _array(time: Tensor, batch: int | None, width: int) -> Any:
    return tf.TensorArray(tf.float32, time, element_shape=(batch, width))


def _shape(x: Tensor) -> list[Any]:
    """The dimensions of `x`, as numbers where they are known."""
    dynamic = tf.shape(x)
    return [dynamic[i] if size is None else size for i, size in enumerate(x.shape)]
