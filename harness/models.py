"""The networks of this package, for use without a study: `harness.models.StackedRNN`."""

import importlib
from typing import Any


def __getattr__(name: str) -> Any:
    """Load a name on its first use: Keras and KerasTuner take seconds to import."""
    if name == "StackedRNN":
        return importlib.import_module("harness.integrations.keras_tuner").StackedRNN
    if name in ("build", "to_stock"):
        return getattr(importlib.import_module("harness.training.networks"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
