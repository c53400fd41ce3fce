"""Which path runs a recurrent stack: a fixed rule, so that a study repeats exactly. No Keras.

Measuring live would make a study's results depend on the noise of the moment (paths differ in the
last bits), so the rule comes from committed measurements instead: see
`tests/benchmarks/derive_paths.py`.
"""

from harness.parameters import Hyperparameters

# In the order of preference when the chosen one fails; "keras", the reference, runs everywhere.
PATHS = ("xla-scan", "keras")


def choose_path(hp: Hyperparameters, *, device: str, backend: str) -> str:
    """The path for this cell and shape on `device` ("cpu" or "gpu") and Keras `backend`."""
    if backend != "tensorflow" or device == "gpu":
        return "keras"
    return "xla-scan"


def paths_from(first: str) -> tuple[str, ...]:
    """The paths to try: `first`, then what is left after it."""
    if first not in PATHS:
        raise ValueError(f"path: {first!r} is not one of {', '.join(PATHS)}")
    return PATHS[PATHS.index(first) :]
