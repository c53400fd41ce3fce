"""Which path runs a recurrent stack: a fixed rule, so that a study repeats exactly. No Keras.

Measuring live would make a study's results depend on the noise of the moment (paths differ in the
last bits), so the rule comes from committed measurements instead: see
`tests/benchmarks/derive_paths.py`.
"""

from harness.spec.choices import PATHS
from harness.spec.hyperparameters import BAG, Hyperparameters

# The largest layer, in units, for which a loop compiled into one kernel was the faster: beyond,
# its matrix products cost more than the dispatching that it saves.
ONE_KERNEL_UNITS = {"lstm": 4, "gru": 6, "rnn": 10}


def choose_path(hp: Hyperparameters, *, device: str, backend: str) -> str:
    """The path for this cell and shape on `device` ("cpu" or "gpu") and Keras `backend`.

    A GPU, JAX and torch get stock Keras: the first uses cuDNN, the others have no other path.
    """
    if backend != "tensorflow" or device == "gpu":
        return "keras"
    if hp.cell != BAG and max(hp.units_per_layer) <= ONE_KERNEL_UNITS[hp.cell]:
        return "xla-kernel"
    return "xla-scan"


def paths_from(first: str) -> tuple[str, ...]:
    """The paths to try: `first`, then those after it in `PATHS`, ending with the reference."""
    if first not in PATHS:
        raise ValueError(f"path: {first!r} is not one of {', '.join(PATHS)}")
    return PATHS[PATHS.index(first) :]
