"""The values that a study may choose from by name."""

PATHS = ("xla-kernel", "xla-scan", "keras")

BACKENDS = ("tensorflow", "jax", "torch")

DEVICES = ("auto", "cpu", "gpu")

# Differences too small to matter: of accuracies and R²; of errors, as a share of the best arm's.
MARGIN, RELATIVE_MARGIN = 0.005, 0.01

# Published figures may be these, by epoch: fractions for accuracies, nats for losses, ms.
MEASURES = ("val_accuracy", "val_loss", "accuracy", "loss", "step_ms")
PATIENCE = 2  # epochs without a lower validation loss, by default
