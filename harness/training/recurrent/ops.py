"""The operations that cells and layers are written in, of Keras's backend: TensorFlow or JAX.

They have TensorFlow's names and arguments; `harness.training.recurrent.jax_ops` says what each is
in JAX. Raises ImportError on a backend that has none.
"""

from typing import Any

import keras

ops: Any
if keras.backend.backend() == "tensorflow":
    from harness.training.recurrent import tensorflow_ops

    ops = tensorflow_ops
elif keras.backend.backend() == "jax":
    from harness.training.recurrent import jax_ops

    ops = jax_ops
else:
    raise ImportError(f"no scan is written for Keras's backend {keras.backend.backend()}")
