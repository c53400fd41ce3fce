"""Keras layers that run as a scan written for XLA, on the TensorFlow backend.

They are keras.layers.SimpleRNN, GRU and LSTM with another `call`: weights and their order,
initialisers, configuration and results are the same. What the scan can't do raises ValueError and
is never ignored: dropout of the inputs inside the cell, an initial state that is given.
"""

from typing import Any, ClassVar

import keras
import tensorflow as tf

from harness.training.recurrent.cells import ACTIVATIONS, CELLS, Weights
from harness.training.recurrent.scan import scan

# What the scan implements: constructor arguments, by their names in get_config.
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


class _Scan:
    """The `call` that replaces Keras's; mixed in before the Keras class."""

    cell_name: ClassVar[str]
    one_kernel: ClassVar[bool] = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        config = self.get_config()  # type: ignore[attr-defined]
        for name, allowed in _REQUIRED.items():
            if name in config and config[name] not in allowed:
                raise ValueError(f"{name}={config[name]!r}: the scan has only {allowed[0]!r}")
        rate = config["recurrent_dropout"] or 0.0
        # A plain tf.Variable, as in RateDropout below.
        self.rate_variable: Any = _rate_variable(rate) if rate else None

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
        x = tf.transpose(tf.convert_to_tensor(sequences), (1, 0, 2))
        if mask is not None:
            mask = tf.transpose(tf.cast(tf.convert_to_tensor(mask), tf.float32))[:, :, None]
        if layer.go_backwards:
            x = tf.reverse(x, axis=[0])
            mask = None if mask is None else tf.reverse(mask, axis=[0])
        carried = [tf.convert_to_tensor(state) for state in layer.states or ()]
        output = scan(
            CELLS[self.cell_name](ACTIVATIONS[layer.get_config()["activation"]]),
            x,
            self._weights(self._dropped(tf.shape(x)[1], x.shape[1]) if training else None),
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
            output = output * (mask if layer.return_sequences else mask[-1])
        return tf.transpose(output, (1, 0, 2)) if layer.return_sequences else output

    def _dropped(self, batch: Any, known: int | None) -> Any:
        """The factors of the state at all steps, one set a gate: (gates, batch, units), or None."""
        if self.rate_variable is None:
            return None
        cell: Any = self.cell  # type: ignore[attr-defined]
        gates = cell.recurrent_kernel.shape[1] // cell.units
        ones = tf.ones((gates, batch if known is None else known, cell.units))
        return _dropout(ones, self.rate_variable, cell.seed_generator)

    def _weights(self, dropped: Any) -> Weights:
        cell: Any = self.cell  # type: ignore[attr-defined]
        kernel, recurrent_kernel, bias = (
            tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        if bias.shape.rank == 2:  # GRU: one bias of the input, one of the recurrent product
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
        self.rate_variable = _rate_variable(rate)

    def set_rate(self, rate: float) -> None:
        self.rate = rate
        self.rate_variable.assign(rate)


@keras.saving.register_keras_serializable(package="harness")
class RateDropout(_VariableRate, keras.layers.Dropout):  # type: ignore[misc]
    """keras.layers.Dropout whose rate is a variable, so one compiled program works for all rates.

    The rate is a plain tf.Variable: an input of the program, not one of the weights. Random
    numbers come from Threefry, as in JAX. TensorFlow's default, Philox, would take several times
    as long as the whole rest of a small model. TensorFlow has Threefry only under XLA.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        return _dropout(inputs, self.rate_variable, self.seed_generator)


@keras.saving.register_keras_serializable(package="harness")
class RateSpatialDropout1D(_VariableRate, keras.layers.SpatialDropout1D):  # type: ignore[misc]
    """keras.layers.SpatialDropout1D whose rate is a variable, as that of RateDropout."""

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        ones = tf.ones_like(inputs[:, :1])
        return inputs * _dropout(ones, self.rate_variable, self.seed_generator)


def _rate_variable(rate: float) -> Any:
    return tf.Variable(rate, trainable=False, dtype=tf.float32)


def _dropout(inputs: Any, rate: Any, generator: Any) -> Any:
    seed = tf.cast(tf.convert_to_tensor(generator.next()), tf.int32)
    return tf.nn.experimental.stateless_dropout(inputs, rate, seed=seed, rng_alg="threefry")
