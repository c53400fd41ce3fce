"""The values that a study may choose from by name."""

PATHS = ("xla-kernel", "xla-scan", "keras")


BACKENDS = ("tensorflow", "jax", "torch")


DEVICES = ("auto", "cpu", "gpu")


# What may be published of an epoch; fractions, nats, milliseconds.
MEASURES = ("val_accuracy", "val_loss", "accuracy", "loss", "step_ms")
