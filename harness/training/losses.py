"""Losses of smoothed labels, weighted classes, and steps of which some are padding."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from harness.datasets.base.signature import Signature


def plain_loss(signature: Signature) -> Any:
    """The loss of classes without smoothing, as a metric for `fit`."""
    kind = "BinaryCrossentropy" if signature.classes == 2 else "SparseCategoricalCrossentropy"
    loss = getattr(keras.losses, kind)(reduction="none")
    if signature.ragged:
        return MeanOfRealSteps(loss, name="plain_loss")
    return keras.metrics.MeanMetricWrapper(loss, name="plain_loss")


PADDING = -1  # the class of a step that is padding


def real_steps(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    """Classes (batch, steps) without `PADDING`, and which steps are no padding, float32."""
    classes = keras.ops.reshape(keras.ops.cast(y_true, "int32"), keras.ops.shape(y_pred)[:-1])
    real = keras.ops.cast(classes > PADDING, "float32")
    return keras.ops.maximum(classes, 0), real


def _of_each(loss: Any, classes: Any, y_pred: Any) -> Any:
    """The loss of each step, (batch, steps)."""
    return loss.call(classes[..., None] if y_pred.shape[-1] == 1 else classes, y_pred)


@keras.saving.register_keras_serializable(package="harness")
class LossOfRealSteps(keras.losses.Loss):  # type: ignore[misc]
    """The mean of a loss over the steps of a batch that are no padding.

    `loss` has the reduction none. Weights of examples and steps act on the sum, not on the number
    that divides it.
    """

    def __init__(self, loss: Any, **kwargs: Any) -> None:
        super().__init__(reduction="sum_over_batch_size", **kwargs)
        self._loss = loss

    def get_config(self) -> dict[str, Any]:
        loss = keras.losses.serialize(self._loss)
        return {"loss": loss, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LossOfRealSteps":
        return cls(keras.losses.deserialize(config.pop("loss")), **config)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        # Keras would apply the mask of the recurrent layers, too.
        losses = self.call(keras.ops.convert_to_tensor(y_true), y_pred)
        return keras.ops.mean(losses if sample_weight is None else losses * sample_weight)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        classes, real = real_steps(y_true, y_pred)
        return _of_each(self._loss, classes, y_pred) * real / keras.ops.mean(real)


@keras.saving.register_keras_serializable(package="harness")
class MeanOfRealSteps(keras.metrics.Mean):  # type: ignore[misc]
    """The mean of a loss over all steps that are no padding."""

    def __init__(self, loss: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._loss = loss

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        classes, real = real_steps(y_true, y_pred)
        super().update_state(_of_each(self._loss, classes, y_pred), sample_weight=real)


@keras.saving.register_keras_serializable(package="harness")
class AccuracyOfRealSteps(keras.metrics.Mean):  # type: ignore[misc]
    """The share of the steps that are no padding whose likeliest class is right."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        classes, real = real_steps(y_true, y_pred)
        if y_pred.shape[-1] == 1:
            said = keras.ops.cast(y_pred[..., 0] > 0.5, "int32")
        else:
            said = keras.ops.cast(keras.ops.argmax(y_pred, axis=-1), "int32")
        super().update_state(keras.ops.cast(said == classes, "float32"), sample_weight=real)


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
    found = y[y > PADDING].astype(np.int64)
    counts = np.bincount(found, minlength=signature.classes)
    weights: NDArray[Any] = found.size / (signature.classes * np.maximum(counts, 1))
    return weights.astype(np.float32)
