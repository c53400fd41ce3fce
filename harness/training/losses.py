"""Smoothed labels and weighted classes in the loss of a training."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.signature import Signature


def plain_loss(signature: Signature) -> Any:
    """The loss of classes without smoothing, as a metric for `fit`."""
    kind = "BinaryCrossentropy" if signature.classes == 2 else "SparseCategoricalCrossentropy"
    loss = getattr(keras.losses, kind)(reduction="none")
    return keras.metrics.MeanMetricWrapper(loss, name="plain_loss")


@keras.saving.register_keras_serializable(package="harness")
class SmoothedCrossentropy(keras.losses.Loss):  # type: ignore[misc]
    """keras.losses.CategoricalCrossentropy with smoothed labels, for classes given as numbers."""

    def __init__(self, classes: int, label_smoothing: float, reduction: str, **kwargs: Any) -> None:
        super().__init__(reduction=reduction, **kwargs)
        self._classes, self._smoothing = classes, label_smoothing

    def get_config(self) -> dict[str, Any]:
        own = {"classes": self._classes, "label_smoothing": self._smoothing}
        return {**super().get_config(), **own}

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_true.shape) == len(y_pred.shape):  # Keras's `fit` may add an axis
            y_true = keras.ops.squeeze(y_true, axis=-1)
        wanted = keras.ops.one_hot(keras.ops.cast(y_true, "int32"), self._classes)
        return keras.losses.categorical_crossentropy(
            wanted, y_pred, label_smoothing=self._smoothing
        )


def class_weights(signature: Signature, y: NDArray[Any]) -> NDArray[Any]:
    """The weight of each class in the loss of a balanced training, float32 (classes,).

    It is that of scikit-learn: examples / (classes · examples of the class).
    """
    counts = np.bincount(y.ravel().astype(np.int64), minlength=signature.classes)
    weights: NDArray[Any] = y.size / (signature.classes * np.maximum(counts, 1))
    return weights.astype(np.float32)
