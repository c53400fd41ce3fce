"""The values that a study may choose from by name."""

from harness.core.errors import UserError

PATHS = ("xla-kernel", "xla-scan", "keras")

BACKENDS = ("tensorflow", "jax", "torch")
COMPILED_BACKENDS = ("tensorflow", "jax")  # which have the paths other than `keras`

DEVICES = ("auto", "cpu", "gpu")

# Differences too small to matter: of accuracies and R²; of errors, as a share of the best arm's.
MARGIN, RELATIVE_MARGIN = 0.005, 0.01

# Published figures may be these, by epoch: fractions for accuracies, nats for losses, ms.
MEASURES = ("val_accuracy", "val_loss", "accuracy", "loss", "step_ms")
PATIENCE = 2  # epochs without a lower validation loss, by default


def check_path(path: str | None, backend: str) -> None:
    """Raises UserError where the backend does not have the path."""
    if path not in (None, "keras") and backend not in COMPILED_BACKENDS:
        raise UserError(
            f"path: {path} is written for {' and '.join(COMPILED_BACKENDS)}; "
            f"with the backend {backend} use keras"
        )
