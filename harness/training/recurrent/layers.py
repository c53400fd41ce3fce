"""Keras layers that run as a scan written for XLA, on the backends TensorFlow and JAX.

They are keras.layers.SimpleRNN, GRU and LSTM with another `call`: weights and their order,
initialisers, configuration and results are the same. What the scan can't do raises ValueError and
is never ignored: dropout of the inputs inside the cell, an initial state that is given.
"""

from typing import Any, ClassVar

import keras

from harness.training.recurrent.cells import ACTIVATIONS, CELLS, Weights
from harness.training.recurrent.ops import ops

if keras.backend.backend() == "jax":
    from harness.training.recurrent.jax_scan import scan

    DTYPES: tuple[str, ...] = ("float32", "bfloat16")
else:
    from harness.training.recurrent.scan import scan

    DTYPES = ("float32",)

# What the scan implements: constructor arguments, which are attributes of a layer or its cell.
_REQUIRED: dict[str, tuple[Any, ...]] = {
    "activation": tuple(ACTIVATIONS),
    "recurrent_activation": ("sigmoid",),
    "use_bias": (True,),
    "reset_after": (True,),
    "dropout": (0, None),
    "return_state": (False,),
    "stateful": (False, True),
    "unroll": (False,),
}
_ABSENT = "absent"


class _Scan:
    """The `call` that replaces Keras's; mixed in before the Keras class."""

    cell_name: ClassVar[str]
    one_kernel: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, allowed in _REQUIRED.items():
            value = self._given(name)
            if value not in (*allowed, _ABSENT):
                raise ValueError(f"{name}={value!r}: the scan has only {allowed[0]!r}")
        dtype = self.compute_dtype  # type: ignore[attr-defined]
        if dtype not in DTYPES:
            raise ValueError(f"dtype {dtype}: the scan has only {', '.join(DTYPES)}")
        rate = self._given("recurrent_dropout") or 0.0
        # An input of the program and no weight, as in RateDropout below.
        self.rate_variable: Any = ops.rate_variable(rate) if rate else None

    def _given(self, name: str) -> Any:
        """An argument of the constructor; activations by name.

        `get_config` would say the same, but with JAX it would import TensorFlow, if it is there.
        """
        cell = self.cell  # type: ignore[attr-defined]
        value = getattr(self, name, getattr(cell, name, _ABSENT))
        return getattr(value, "__name__", value)

    def set_rate(self, rate: float) -> None:
        """Set the rate of the recurrent dropout, where it was above 0 before."""
        self.cell.recurrent_dropout = rate  # type: ignore[attr-defined]
        self.rate_variable.assign(rate)

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """`sequences` (batch, time, features) → (batch, time, units) or (batch, units).

        `mask` is bool (batch, time): where it is false, the state stays as it was. The output
        does too, or is 0 with the layer's `zero_output_for_mask`.
        """
        if initial_state is not None:
            raise ValueError("initial_state: the scan has only its own")
        layer: Any = self
        x = ops.transpose(ops.convert_to_tensor(sequences), (1, 0, 2))
        if mask is not None:
            mask = ops.transpose(ops.cast(ops.convert_to_tensor(mask), ops.float32))[:, :, None]
        if layer.go_backwards:
            x = ops.reverse(x, axis=[0])
            mask = None if mask is None else ops.reverse(mask, axis=[0])
        carried = [ops.convert_to_tensor(state) for state in layer.states or ()]
        output = scan(
            CELLS[self.cell_name](ACTIVATIONS[self._given("activation")]),
            x,
            self._weights(self._dropped(ops.size(x, 1)) if training else None),
            mask,
            sequences=layer.return_sequences,
            one_kernel=self.one_kernel,
            initial=tuple(carried) or None,
        )
        if carried:
            output, last = output
            for variable, state in zip(layer.states, last, strict=True):
                variable.assign(state)
        if mask is not None and layer.zero_output_for_mask:  # Bidirectional sets it
            output = output * ops.cast(mask if layer.return_sequences else mask[-1], output.dtype)
        return ops.transpose(output, (1, 0, 2)) if layer.return_sequences else output

    def _dropped(self, batch: Any) -> Any:
        """The factors of the state at all steps, one set a gate: (gates, batch, units), or None."""
        if self.rate_variable is None:
            return None
        cell: Any = self.cell  # type: ignore[attr-defined]
        gates = cell.recurrent_kernel.shape[1] // cell.units
        ones = ops.ones((gates, batch, cell.units))
        return ops.dropout(ones, self.rate_variable, cell.seed_generator)

    def _weights(self, dropped: Any) -> Weights:
        cell: Any = self.cell  # type: ignore[attr-defined]
        kernel, recurrent_kernel, bias = (
            ops.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        if len(bias.shape) == 2:  # GRU: one bias of the input, one of the recurrent product
            return Weights(kernel, recurrent_kernel, bias[0], bias[1], dropped)
        return Weights(kernel, recurrent_kernel, bias, None, dropped)


@keras.saving.register_keras_serializable(package="harness")
class ScanSimpleRNN(_Scan, keras.layers.SimpleRNN):  # type: ignore[misc]
    """keras.layers.SimpleRNN as a scan."""

    cell_name = "rnn"


@keras.saving.register_keras_serializable(package="harness")
class ScanGRU(_Scan, keras.layers.GRU):  # type: ignore[misc]
    """keras.layers.GRU (reset_after=True) as a scan."""

    cell_name = "gru"


@keras.saving.register_keras_serializable(package="harness")
class ScanLSTM(_Scan, keras.layers.LSTM):  # type: ignore[misc]
    """keras.layers.LSTM as a scan."""

    cell_name = "lstm"


@keras.saving.register_keras_serializable(package="harness")
class KernelSimpleRNN(ScanSimpleRNN):
    """keras.layers.SimpleRNN as a scan, one kernel a loop."""

    one_kernel = True


@keras.saving.register_keras_serializable(package="harness")
class KernelGRU(ScanGRU):
    """keras.layers.GRU (reset_after=True) as a scan, one kernel a loop."""

    one_kernel = True


@keras.saving.register_keras_serializable(package="harness")
class KernelLSTM(ScanLSTM):
    """keras.layers.LSTM as a scan, one kernel a loop."""

    one_kernel = True


# By path and cell.
LAYERS: dict[str, dict[str, type[keras.layers.RNN]]] = {
    "xla-scan": {"rnn": ScanSimpleRNN, "gru": ScanGRU, "lstm": ScanLSTM},
    "xla-kernel": {"rnn": KernelSimpleRNN, "gru": KernelGRU, "lstm": KernelLSTM},
}


class _VariableRate:
    """A layer of dropout whose rate is a variable."""

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)  # type: ignore[call-arg]
        self.rate_variable = ops.rate_variable(rate)

    def set_rate(self, rate: float) -> None:
        self.rate = rate
        self.rate_variable.assign(rate)


@keras.saving.register_keras_serializable(package="harness")
class RateDropout(_VariableRate, keras.layers.Dropout):  # type: ignore[misc]
    """keras.layers.Dropout whose rate is a variable, so one compiled program works for all rates.

    The rate is an input of the program, not one of the weights.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        return ops.dropout(inputs, self.rate_variable, self.seed_generator)


@keras.saving.register_keras_serializable(package="harness")
class RateSpatialDropout1D(_VariableRate, keras.layers.SpatialDropout1D):  # type: ignore[misc]
    """keras.layers.SpatialDropout1D whose rate is a variable, as that of RateDropout."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        ones = ops.ones_like(inputs[:, :1])
        return inputs * ops.dropout(ones, self.rate_variable, self.seed_generator)
