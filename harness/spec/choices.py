"""The values that a study may choose from by name."""

PATHS = ("xla-kernel", "xla-scan", "keras")

BACKENDS = ("tensorflow", "jax", "torch")

DEVICES = ("auto", "cpu", "gpu")

# Published figures may be these, by epoch: fractions for accuracies, nats for losses, ms.
MEASURES = ("val_accuracy", "val_loss", "accuracy", "loss", "step_ms")
