"""The engine of a training: the program that runs its epochs, by Keras's backend and by path."""

import keras

from harness.datasets.base.signature import Signature
from harness.spec.choices import COMPILED_BACKENDS
from harness.spec.hyperparameters import Hyperparameters
from harness.training.epochs import Epochs
from harness.training.keras_epochs import FitEpochs
from harness.training.recurrent import set_xla_flags


def build_program(hp: Hyperparameters, signature: Signature, path: str) -> Epochs:
    """The program that trains on a path: its model is built, but nothing is compiled yet."""
    if path == "keras":
        return FitEpochs(hp, signature)
    # Each of the two imports its backend, and needs it.
    if keras.backend.backend() == "jax":
        from harness.training.jax_epochs import JaxEpochs

        return JaxEpochs(hp, signature, path)
    from harness.training.tensorflow_epochs import TensorFlowEpochs

    return TensorFlowEpochs(hp, signature, path)


def prepare_compiler(backend: str) -> str | None:
    """Set XLA's flags and open the store of programs; returns why it is not used, if for a fault.

    Both come before anything is compiled.
    """
    if backend not in COMPILED_BACKENDS:
        return None
    set_xla_flags()
    if backend == "jax":
        from harness.training import jax_cache

        return jax_cache.use_store()
    from harness.training import programs

    return programs.use_store()
