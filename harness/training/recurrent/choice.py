"""Which path runs a recurrent stack: a fixed rule, so that a study repeats exactly. No Keras.

If the fastest path were measured in each study, noise would change its results, because paths
differ in the last bits. So the rule comes from committed measurements instead: see
`tests/benchmarks/derive_paths.py`.
"""

from harness.spec.choices import FLOAT32, PATHS
from harness.spec.hyperparameters import BAG, Hyperparameters

# The largest layer, in units, for which a loop in one kernel was faster. In larger layers its
# matrix products cost more time than it saves by fewer calls.
ONE_KERNEL_UNITS = {"lstm": 4, "gru": 6, "rnn": 10}
# With JAX: by device and cell the fastest path for layers of up to so many units, smallest first;
# the last one has no limit. A cell without measurements takes the scan.
JAX_PATHS: dict[str, dict[str, tuple[tuple[int | None, str], ...]]] = {
    "cpu": {
        "gru": ((16, "xla-kernel"), (None, "xla-scan")),
        "lstm": ((16, "xla-kernel"), (None, "xla-scan")),
        "rnn": ((16, "xla-kernel"), (None, "xla-scan")),
    },
    "gpu": {"lstm": ((None, "xla-scan"),)},
}


def choose_path(hp: Hyperparameters, *, device: str, backend: str) -> str:
    """The path for this cell and shape on `device` ("cpu" or "gpu") and Keras `backend`.

    TensorFlow takes stock Keras on a GPU, which uses cuDNN there, and for mixed precision, which
    its scan does not have; torch has no other path. With JAX it is the scan, unless measurements
    say where another path is faster.
    """
    if backend == "jax":
        for limit, path in JAX_PATHS.get(device, {}).get(hp.cell, ()):
            if limit is None or max(hp.units_per_layer) <= limit:
                return path
        return "xla-scan"
    if backend != "tensorflow" or device == "gpu" or hp.precision != FLOAT32:
        return "keras"
    if hp.cell != BAG and max(hp.units_per_layer) <= ONE_KERNEL_UNITS[hp.cell]:
        return "xla-kernel"
    return "xla-scan"


def paths_from(first: str) -> tuple[str, ...]:
    """The paths to try: `first`, then those after it in `PATHS`; the last is the reference."""
    if first not in PATHS:
        raise ValueError(f"path: {first!r} is not one of {', '.join(PATHS)}")
    return PATHS[PATHS.index(first) :]
