"""Keras layers that run as a scan written for XLA, on the TensorFlow backend.

They are keras.layers.SimpleRNN, GRU and LSTM with another `call`: weights and their order,
initialisers, configuration and results are the same. What the scan can't do raises ValueError and
is never ignored: other activations, dropout inside the cell, masks, carried state.
"""

from typing import Any, ClassVar

import keras
import tensorflow as tf

from harness.training.recurrent.cells import CELLS, Weights
from harness.training.recurrent.scan import scan

# What the scan implements: constructor arguments, by their names in get_config.
_REQUIRED: dict[str, tuple[Any, ...]] = {
    "activation": ("tanh",),
    "recurrent_activation": ("sigmoid",),
    "use_bias": (True,),
    "reset_after": (True,),
    "dropout": (0, None),
    "recurrent_dropout": (0, None),
    "return_state": (False,),
    "stateful": (False,),
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

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        """`sequences` (batch, time, features) → (batch, time, units) or (batch, units)."""
        if initial_state is not None or mask is not None:
            raise ValueError("the scan starts from zeros and takes no mask")
        layer: Any = self
        x = tf.transpose(tf.convert_to_tensor(sequences), (1, 0, 2))
        if layer.go_backwards:
            x = tf.reverse(x, axis=[0])
        output = scan(
            CELLS[self.cell_name],
            x,
            self._weights(),
            sequences=layer.return_sequences,
            one_kernel=self.one_kernel,
        )
        return tf.transpose(output, (1, 0, 2)) if layer.return_sequences else output

    def _weights(self) -> Weights:
        cell: Any = self.cell  # type: ignore[attr-defined]
        kernel, recurrent_kernel, bias = (
            tf.convert_to_tensor(w) for w in (cell.kernel, cell.recurrent_kernel, cell.bias)
        )
        if bias.shape.rank == 2:  # GRU: one bias of the input, one of the recurrent product
            return Weights(kernel, recurrent_kernel, bias[0], bias[1])
        return Weights(kernel, recurrent_kernel, bias, None)


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


@keras.saving.register_keras_serializable(package="harness")
class RateDropout(keras.layers.Dropout):  # type: ignore[misc]
    """keras.layers.Dropout whose rate is a variable, so one compiled program works for all rates.

    The rate is a plain tf.Variable: an input of the program, not one of the weights. Random
    numbers come from Threefry, as in JAX. TensorFlow's default, Philox, would take several times
    as long as the whole rest of a small model. TensorFlow has Threefry only under XLA.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(rate, **kwargs)
        self.rate_variable = tf.Variable(rate, trainable=False, dtype=tf.float32)

    def set_rate(self, rate: float) -> None:
        self.rate = rate
        self.rate_variable.assign(rate)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        seed = tf.cast(tf.convert_to_tensor(self.seed_generator.next()), tf.int32)
        return tf.nn.experimental.stateless_dropout(
            inputs, self.rate_variable, seed=seed, rng_alg="threefry"
        )
