"""The scan of `harness.training.recurrent.scan` in JAX: the same three ideas, the same cells.

JAX would derive a gradient by itself, but it would add up the gradient of the recurrent kernel step
by step. With a gradient of its own this is one matmul after the backward loop.

With inputs and weights in bfloat16, the products of matrices are bfloat16 with sums in float32, and
states, gates and their gradients are float32; so a state does not lose what it adds up over time.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

from harness.training.recurrent import jax_ops as ops

Array = Any
States = tuple[Array, ...]


class _Kind(NamedTuple):
    """What is fixed when a scan is traced."""

    cell: Any  # harness.training.recurrent.cells.Cell
    sequences: bool
    one_kernel: bool


def scan(
    cell: Any,
    x: Array,
    weights: Any,
    mask: Array | None = None,
    *,
    sequences: bool,
    one_kernel: bool = False,
    initial: States | None = None,
) -> Any:
    """Run `cell` over `x` (time, batch, features) from a zero state, or from `initial`.

    Arguments and result are those of `harness.training.recurrent.scan.scan`.
    """
    if initial is not None:
        initial = tuple(state.astype(jnp.float32) for state in initial)
    output, last = _run(_Kind(cell, sequences, one_kernel), x, weights, mask, initial)
    return output if initial is None else (output, last)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _run(
    kind: _Kind, x: Array, weights: Any, mask: Array | None, initial: States | None
) -> tuple[Array, States]:
    """The output and the last state."""
    return _run_forward(kind, x, weights, mask, initial)[0]


def _run_forward(
    kind: _Kind, x: Array, weights: Any, mask: Array | None, initial: States | None
) -> tuple[tuple[Array, States], Any]:
    states, saved = _forward(kind, x, weights, mask, initial)
    output = states[0] if kind.sequences else states[0][-1]
    last = tuple(state[-1] for state in states)
    return (output.astype(x.dtype), last), (x, weights, mask, initial, states, saved)


def _run_backward(kind: _Kind, kept: Any, d_outputs: tuple[Array, States]) -> tuple[Any, ...]:
    """No gradient passes through the initial or the last state."""
    x, weights, mask, initial, states, saved = kept
    previous = _before(states, initial)
    coefficients = _coefficients(kind, states, previous, saved)
    d_output = d_outputs[0].astype(jnp.float32)
    d_p = _backward(kind, weights, mask, coefficients, d_output, x.shape[:2])
    d_q = kind.cell.recurrent_gradient(d_p, saved)
    gradients = weights._replace(
        kernel=ops.product(x, d_p, (0, 1), (0, 1)),
        recurrent_kernel=weights.to_kernel(
            *(each.astype(weights.recurrent_kernel.dtype) for each in (previous[0], d_q))
        ),
        bias=jnp.sum(d_p, axis=(0, 1)),
        # The factors of dropout, mask and states are constants: XLA removes their zeros.
        dropped=None if weights.dropped is None else jnp.zeros_like(weights.dropped),
    )
    if weights.recurrent_bias is not None:
        gradients = gradients._replace(recurrent_bias=jnp.sum(d_q, axis=(0, 1)))
    d_x = ops.product(d_p, weights.kernel, (2,), (1,)).astype(x.dtype)
    gradients = jax.tree.map(lambda of, weight: of.astype(weight.dtype), gradients, weights)
    constants = (
        None if mask is None else jnp.zeros_like(mask),
        None if initial is None else tuple(jnp.zeros_like(state) for state in initial),
    )
    return d_x, gradients, *constants


_run.defvjp(_run_forward, _run_backward)


def _forward(
    kind: _Kind, x: Array, weights: Any, mask: Array | None, initial: States | None
) -> tuple[States, Array]:
    """States (each (time, batch, units)) and what the cell saves (time, batch, saved·units)."""
    cell = kind.cell
    p = ops.product(x, weights.kernel, (2,), (0,)) + weights.bias
    time, batch, _ = p.shape
    units = weights.recurrent_kernel.shape[0]
    first = initial or (jnp.zeros((batch, units), p.dtype),) * cell.states
    widths = [units] * cell.states + ([cell.saved * units] if cell.saved else [])

    def body(carried: Any) -> Any:
        t, state, kept = carried
        new, saved = cell.forward(p[t], state, weights)
        if mask is not None:
            pairs = zip(new, state, strict=True)
            new = tuple(jnp.where(mask[t] > 0.0, one, other) for one, other in pairs)
        values = (*new, saved) if cell.saved else new
        kept = tuple(k.at[t].set(v) for k, v in zip(kept, values, strict=True))
        return _count(kind, t + 1), new, kept

    kept = tuple(jnp.zeros((time, batch, width), p.dtype) for width in widths)
    start = (jnp.int32(0), first, kept)
    _, _, kept = lax.while_loop(lambda carried: carried[0] < time, body, start)
    return kept[: cell.states], kept[-1] if cell.saved else None


def _backward(
    kind: _Kind,
    weights: Any,
    mask: Array | None,
    coefficients: Callable[[Array], States],
    d_output: Array,
    time_and_batch: tuple[int, int],
) -> Array:
    """The gradient of the projection, (time, batch, gates·units)."""
    cell = kind.cell
    time, batch = time_and_batch
    units = weights.recurrent_kernel.shape[0]
    zero = jnp.zeros((batch, units), d_output.dtype)

    def body(carried: Any) -> Any:
        t, d_state, kept = carried
        if kind.sequences:
            d_state = (d_state[0] + d_output[t], *d_state[1:])
        # A step is linear in its gradient: what a mask leaves out passes beside it.
        through = d_state if mask is None else tuple(d * mask[t] for d in d_state)
        d_p, d_q, d_direct = cell.backward(through, coefficients(t))
        d_previous = (d_direct[0] + weights.to_state(d_q), *d_direct[1:])
        if mask is not None:
            beside = zip(d_previous, d_state, strict=True)
            d_previous = tuple(d + (1.0 - mask[t]) * whole for d, whole in beside)
        return _count(kind, t - 1), d_previous, kept.at[t].set(d_p)

    last = zero if kind.sequences else d_output
    d_p = jnp.zeros((time, batch, cell.gates * units), d_output.dtype)
    start = (jnp.int32(time - 1), (last,) + (zero,) * (cell.states - 1), d_p)
    return lax.while_loop(lambda carried: carried[0] >= 0, body, start)[2]


def _coefficients(
    kind: _Kind, states: States, previous: States, saved: Array
) -> Callable[[Array], States]:
    """A function from the time step to the coefficients of the step back from it."""
    cell = kind.cell
    if kind.one_kernel:  # computed where they are used: one kernel keeps them in registers
        return lambda t: cell.coefficients(
            tuple(state[t] for state in states),
            tuple(state[t] for state in previous),
            saved[t] if cell.saved else None,
        )
    # For all steps at once: XLA:CPU vectorizes this well, but not the few rows of one step.
    every = cell.coefficients(states, previous, saved)
    return lambda t: tuple(coefficient[t] for coefficient in every)


def _count(kind: _Kind, number: Array) -> Array:
    return number if kind.one_kernel else outside_kernels(number)


def outside_kernels(number: Array) -> Array:
    """As the function of this name in `harness.training.recurrent.scan`: a sort of two numbers.

    On a GPU, where loops are no kernels anyway, the number itself.
    """

    def by_sort(number: Array) -> Array:
        return lax.sort(jnp.stack([number, jnp.int32(2**31 - 1)]))[0]

    return lax.platform_dependent(number, cpu=by_sort, default=lambda number: number)


def _before(states: States, initial: States | None) -> States:
    """The states before each step."""
    firsts = initial or tuple(jnp.zeros_like(state[0]) for state in states)
    pairs = zip(firsts, states, strict=True)
    return tuple(jnp.concatenate([first[None], state[:-1]], axis=0) for first, state in pairs)
