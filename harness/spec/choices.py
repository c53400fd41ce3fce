"""The values that a study may choose from by name."""

from harness.core.errors import UserError

PATHS = ("xla-kernel", "xla-scan", "keras")

BACKENDS = ("tensorflow", "jax", "torch")
AUTO = "auto"  # the fastest one here: see harness.profile.backend_choice
COMPILED_BACKENDS = ("tensorflow", "jax")  # which have the paths other than `keras`

FLOAT32 = "float32"  # the precision of all that is not said to have another

DEVICES = ("auto", "cpu", "gpu")

# Differences too small to matter: of accuracies and R²; of errors, as a share of the best arm's.
MARGIN, RELATIVE_MARGIN = 0.005, 0.01

# Published figures may be these, by epoch: fractions for accuracies, nats for losses, ms.
MEASURES = ("val_accuracy", "val_loss", "accuracy", "loss", "step_ms")
TRAIN = "train"  # the field of datasets that counts training examples
PATIENCE = 2  # epochs without a lower validation loss, by default


def check_precision(precision: str, path: str | None, backend: str) -> None:
    """Raises UserError where the path that a study names computes in float32 alone."""
    if precision != FLOAT32 and path not in (None, "keras") and backend != "jax":
        raise UserError(
            f"precision: path {path} of {backend} has no {precision}; leave --path out, "
            "or give --backend jax"
        )


def check_path(path: str | None, backend: str) -> None:
    """Raises UserError where the backend does not have the path."""
    if path not in (None, "keras") and backend not in (AUTO, *COMPILED_BACKENDS):
        raise UserError(
            f"path: {path} is written for {' and '.join(COMPILED_BACKENDS)}; "
            f"with the backend {backend} use keras"
        )
