"""Epochs as XLA programs of JAX, kept on disk by JAX's own cache.

A program of JAX changes nothing: it gets the values of all variables, and returns the new ones. So
the code of Keras runs in a `keras.StatelessScope`, as in `model.stateless_call`, which has no place
for the rates of dropout.
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from numpy.typing import NDArray

from harness.datasets.base.dataset import Examples
from harness.datasets.base.signature import Signature
from harness.datasets.base.windows import Windows
from harness.spec.hyperparameters import Hyperparameters
from harness.training import jax_cache
from harness.training.compiled_epochs import EVALUATE, TRAIN, CompiledEpochs
from harness.training.recurrent.jax_scan import outside_kernels

Values = list[Any]  # one for each variable of the state
Step = Callable[[Values, Any, Any, Any], tuple[Values, Any]]


class JaxEpochs(CompiledEpochs):
    """Epochs as programs from values to values."""

    def __init__(self, hp: Hyperparameters, signature: Signature, path: str) -> None:
        super().__init__(hp, signature, path)
        self._variables = [*self._state(), *(rate.variable for rate in self._rates())]
        self._place = {id(variable): n for n, variable in enumerate(self._variables)}
        self._trainable = self.places(self.model.trainable_variables)
        self._of_optimizer = self.places(self._optimizer.variables)
        self._programs: dict[str, Any] = {}
        self._held: tuple[Examples, tuple[Any, ...]] | None = None

    def _compile(self, train: Examples, validation: Examples) -> float:
        with jax_cache.fresh_seconds() as seconds:
            for name, split in ((TRAIN, train), (EVALUATE, validation)):
                order = np.zeros(-(-len(split) // self.batch_size) * self.batch_size, np.int32)
                given = (self.values(), split.inputs, order, *(np.int32(0),) * 3)
                self._programs[name] = jax.jit(self.steps(name, split)).lower(*given).compile()
        return seconds()

    @property
    def compiled_by_xla(self) -> bool:
        return bool(self._programs)  # JAX has no other compiler

    def _run(
        self, name: str, split: Examples, order: NDArray[np.int32], numbers: tuple[int, int, int]
    ) -> tuple[Any, Any, Any]:
        inputs = self.on_device(split) if name == TRAIN else split.inputs
        values, loss, accuracy, outputs = self._programs[name](
            self.values(), inputs, order, *map(np.int32, numbers)
        )
        self.assign(values)
        return loss, accuracy, outputs

    def on_device(self, split: Examples) -> tuple[Any, ...]:
        """The inputs of the split that is trained on, which stay where they are used."""
        if self._held is None or self._held[0] is not split:
            # A copy: JAX on a CPU would read the memory of NumPy itself.
            self._held = (split, tuple(jnp.array(array) for array in split.inputs))
        return self._held[1]

    def places(self, variables: Sequence[Any]) -> list[int]:
        """Where in `values` those of some variables are."""
        return [self._place[id(variable)] for variable in variables]

    def values(self) -> Values:
        """The values of all variables that the programs use."""
        return [variable.value for variable in self._variables]

    def assign(self, values: Values) -> None:
        """Set these variables."""
        for variable, value in zip(self._variables, values, strict=True):
            variable.assign(value)

    def steps(self, name: str, split: Examples) -> Callable[..., Any]:
        """A loop of the steps of TRAIN or EVALUATE over the batches of a split of this size.

        It returns the new values, the metrics and all outputs that the steps return.
        """
        step: Step = self._learn if name == TRAIN else self._measure
        size, examples = self.batch_size, len(split)
        batches = 0 if name == TRAIN else -(-examples // size)
        shape = self.model.output_shape[1:]

        def steps(values: Values, inputs: Any, order: Any, rows: Any, first: Any, last: Any) -> Any:
            def body(carried: Any) -> Any:
                number, values, outputs = carried
                start = number * size
                places = lax.dynamic_slice(order, (start,), (size,))
                weights = (start + jnp.arange(size) < rows).astype(jnp.float32)
                x, y = gathered(split, inputs[0], inputs[1], places)
                values, found = step(values, x, y, weights)
                if found is not None:
                    outputs = lax.dynamic_update_slice_in_dim(outputs, found, start, 0)
                return outside_kernels(number + 1), values, outputs

            outputs = jnp.zeros((batches * size, *shape), jnp.float32)
            _, values, outputs = lax.while_loop(
                lambda carried: carried[0] < last, body, (first, values, outputs)
            )
            with self._scope(values):
                loss, accuracy = (metric.result() for metric in self._metrics)
            return values, loss, accuracy, outputs

        return steps

    def _learn(self, values: Values, x: Any, y: Any, weights: Any) -> tuple[Values, None]:
        def loss_of(trained: Values) -> tuple[Any, Values]:
            with self._scope(_with(values, self._trainable, trained)) as scope:
                loss, _ = self._forward(x, y, weights, training=True)
            return loss, self._after(scope)

        trained, optimizer = (
            [values[place] for place in places] for places in (self._trainable, self._of_optimizer)
        )
        gradients, values = jax.grad(loss_of, has_aux=True)(trained)
        trained, optimizer = self._optimizer.keras.stateless_apply(optimizer, gradients, trained)
        values = _with(values, self._trainable, trained)
        return _with(values, self._of_optimizer, optimizer), None

    def _measure(self, values: Values, x: Any, y: Any, weights: Any) -> tuple[Values, Any]:
        with self._scope(values) as scope:
            _, outputs = self._forward(x, y, weights, training=False)
        return self._after(scope), outputs

    def _scope(self, values: Values) -> Any:
        """A block in which the variables have these values."""
        return keras.StatelessScope(list(zip(self._variables, values, strict=True)))

    def _after(self, scope: Any) -> Values:
        """The values of the variables at the end of a scope."""
        return [scope.get_current_value(variable) for variable in self._variables]


def _with(values: Values, places: Sequence[int], others: Sequence[Any]) -> Values:
    """The same values, with others at some places."""
    values = list(values)
    for place, other in zip(places, others, strict=True):
        values[place] = other
    return values


def gathered(split: Examples, x: Any, y: Any, places: Any) -> tuple[Any, Any]:
    """The examples at some places of a split's inputs, as arrays: those of `split.examples`."""
    if not isinstance(split, Windows):
        return x[places], y[places]
    ends = places[:, None]
    outputs = split.horizon * split.targets.shape[1]
    shape = (len(places),) if outputs == 1 else (len(places), outputs)
    targets = y[ends + jnp.arange(1, split.horizon + 1)]
    return x[ends + jnp.arange(1 - split.lookback, 1)], jnp.reshape(targets, shape)
