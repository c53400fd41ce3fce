"""Epochs as XLA programs of TensorFlow, kept on disk by `harness.training.programs`."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.dataset import Examples
from harness.datasets.base.signature import Signature
from harness.datasets.base.windows import Windows
from harness.spec.hyperparameters import Hyperparameters
from harness.training import programs
from harness.training.compiled_epochs import EVALUATE, TRAIN, CompiledEpochs
from harness.training.same_program import compiled_shape


class TensorFlowEpochs(CompiledEpochs):
    """Epochs as programs that read and change the variables of the model."""

    def __init__(self, hp: Hyperparameters, signature: Signature, path: str) -> None:
        super().__init__(hp, signature, path)
        self._programs: dict[str, Any] = {}

    def _compile(self, train: Examples, validation: Examples) -> float:
        splits = {TRAIN: train, EVALUATE: validation}

        def trace() -> dict[str, Any]:
            return {
                TRAIN: self._traced(self._learn, train),
                EVALUATE: self._traced(self._measure, validation),
            }

        def call(name: str, program: Any) -> None:
            self._programs[name] = program
            self._call(name, splits[name], np.arange(len(splits[name])), 0, 0)

        found = programs.compiled(self._key(train, validation), trace, self._handles(), call)
        self._programs = dict(found.programs)
        return found.fresh_s

    def _key(self, train: Examples, validation: Examples) -> str:
        """Equal for programs that are the same but for the values of their variables."""
        shape = compiled_shape(self._hp, self._path)
        arrays = [
            (split.shape, [(array.shape, str(array.dtype)) for array in split.inputs])
            for split in (train, validation)
        ]
        parts = (self._path, shape, self._signature, arrays)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    def _handles(self) -> list[Any]:
        """The handles of all variables that the programs use."""
        every = [*(variable.value for variable in self._state()), *self._rates()]
        return [variable.handle for variable in every]

    @property
    def compiled_by_xla(self) -> bool:
        """Whether XLA compiled both programs; False before `compile`."""
        return bool(self._programs) and all(p.compiled_by_xla for p in self._programs.values())

    def _run(
        self, name: str, split: Examples, order: NDArray[np.int32], numbers: tuple[int, int, int]
    ) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        found: tuple[Any, Any, Any] = self._programs[name](
            *map(tf.constant, split.inputs),
            tf.constant(order),
            *(tf.constant(number, tf.int32) for number in numbers),
        )
        return found

    def _traced(self, step: Callable[[Any, Any, Any], Any], split: Examples) -> Any:
        """A loop of `step` over the batches of a split of this size, as one XLA program.

        It is traced, not compiled; it returns the metrics and all outputs that `step` returns.
        """
        import tensorflow as tf

        from harness.training.recurrent.scan import outside_kernels

        size, examples = self.batch_size, len(split)
        output = self.model.output_shape[1:]
        batches = 0 if step == self._learn else -(-examples // size)

        def steps(x: Any, y: Any, order: Any, rows: Any, first: Any, last: Any) -> Any:
            def body(number: Any, outputs: Any) -> Any:
                start = number * size
                batch = tf.slice(order, [start], [size])
                weights = tf.cast(start + tf.range(size) < rows, tf.float32)
                found = step(*gathered(split, x, y, batch), weights)
                if found is not None:
                    outputs = outputs.write(number, found)
                return outside_kernels(number + 1), outputs

            kept = tf.TensorArray(tf.float32, batches, element_shape=(size, *output))
            _, kept = tf.while_loop(lambda number, _: number < last, body, (first, kept))
            return (*(metric.result() for metric in self._metrics), kept.concat())

        numbers = [(-(-examples // size) * size,), (), (), ()]
        return tf.function(steps, jit_compile=True, autograph=False).get_concrete_function(
            *(tf.TensorSpec(array.shape, array.dtype) for array in split.inputs),
            *(tf.TensorSpec(shape, tf.int32) for shape in numbers),
        )

    def _learn(self, x: Any, y: Any, weights: Any) -> None:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss, _ = self._forward(x, y, weights, training=True)
        variables = self.model.trainable_variables
        gradients = tape.gradient(loss, [v.value for v in variables])
        self._optimizer.keras.apply(gradients, variables)

    def _measure(self, x: Any, y: Any, weights: Any) -> Any:
        return self._forward(x, y, weights, training=False)[1]


def gathered(split: Examples, x: Any, y: Any, places: Any) -> tuple[Any, Any]:
    """The examples at some places of a split's inputs, as tensors: those of `split.examples`."""
    import tensorflow as tf

    if not isinstance(split, Windows):
        return tf.gather(x, places), tf.gather(y, places)
    ends = places[:, None]
    windows = tf.gather(x, ends + tf.range(1 - split.lookback, 1))
    outputs = split.horizon * split.targets.shape[1]
    shape = [places.shape[0]] if outputs == 1 else [places.shape[0], outputs]
    return windows, tf.reshape(tf.gather(y, ends + tf.range(1, split.horizon + 1)), shape)
