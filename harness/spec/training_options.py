"""The options of a network and its training beyond cell and size: their values, and their checks.

Each has the name that Keras or the literature gives it. No Keras: study files use it too.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from harness.core.checks import is_number
from harness.core.errors import UserError
from harness.spec.values import shown

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
WITH_MOMENTUM = ("rmsprop", "sgd")
# The rate over the steps of a training: as it is; half a cosine down to 0; the same after a rise
# from 0 over the first tenth; a tenth of it after each epoch whose validation loss is not lower.
SCHEDULES = ("constant", "cosine", "warmup_cosine", "plateau")
# What the head gets of the last layer's outputs: the last one, their mean, the maximum of each
# unit, or their mean weighted by a softmax over learned scores.
POOLINGS = ("last", "mean", "max", "attention")
LAYER_NORMS = ("none", "output")
CLASS_WEIGHTS = ("none", "balanced")
UNITS_SHAPES = ("equal", "pyramid")
# Keras's dtype policies: in the second one layers compute in bfloat16, weights stay float32.
PRECISIONS = ("float32", "mixed_bfloat16")
ACTIVATIONS = ("tanh", "relu", "sigmoid", "elu", "softsign", "linear")
INITIALIZERS = (
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "orthogonal", "identity", "random_uniform", "random_normal", "truncated_normal", "zeros",
)  # fmt: skip

_CHOICES: dict[str, Sequence[str]] = {
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "pooling": POOLINGS,
    "layer_norm": LAYER_NORMS,
    "class_weight": CLASS_WEIGHTS,
    "units_shape": UNITS_SHAPES,
    "precision": PRECISIONS,
    "activation": ACTIVATIONS,
    "kernel_initializer": INITIALIZERS,
    "recurrent_initializer": INITIALIZERS,
}
_SHARES = ("momentum", "embedding_dropout", "recurrent_dropout", "label_smoothing")
_SWITCHES = ("residual", "mask", "stateful")
# What a bag of embeddings, which has no layers, leaves without effect.
_OF_LAYERS = (
    "pooling", "residual", "layer_norm", "recurrent_dropout", "units_shape", "activation",
    "kernel_initializer", "recurrent_initializer",
)  # fmt: skip


def check(values: Mapping[str, Any], given: Collection[str]) -> None:
    """Raises UserError for an option's value that is not allowed, or has no effect here.

    `values` has all hyperparameters; `given` names the options that are not at their defaults.
    """
    for name, known in _CHOICES.items():
        if not isinstance(values[name], str) or values[name] not in known:
            raise UserError(f"{name}: {shown(values[name])} is not one of {', '.join(known)}")
    for name in _SHARES:
        check_share(name, values[name])
    for name in _SWITCHES:
        if not isinstance(values[name], bool):
            raise UserError(f"{name}: {shown(values[name])} is neither True nor False")
    if not isinstance(values["pretrained"], str | None) or values["pretrained"] == "":
        raise UserError(
            f"pretrained: {shown(values['pretrained'])} is neither None nor the name of a file"
        )
    _check_amount("weight_decay", values["weight_decay"], "0 or more", lambda value: value >= 0)
    _check_amount("clip_norm", values["clip_norm"], "above 0", lambda value: value > 0)
    if values["momentum"] and values["optimizer"] not in WITH_MOMENTUM:
        raise UserError(
            f"momentum: {values['momentum']} goes with optimizer {' or '.join(WITH_MOMENTUM)}, not "
            f"with {values['optimizer']}; leave it out, or set another optimizer"
        )
    if values["cell"] == "bag":
        for name in _OF_LAYERS:
            if name in given:
                raise UserError(
                    f"{name}: cell bag has no recurrent layers, so it has no effect; leave it out"
                )
    if values["units_shape"] != "equal" and not isinstance(values["units"], int):
        raise UserError(
            f"units_shape: {values['units_shape']} goes with one number of units; leave it out "
            "where units has a number for each layer"
        )


def check_finite(name: str, value: object) -> None:
    """Raises UserError for what is not a finite number."""
    if not is_number(value) or not math.isfinite(value):
        raise UserError(f"{name}: {shown(value)} is not a finite number")


def check_share(name: str, value: Any) -> None:
    """Raises UserError for what is not a number from 0 to below 1."""
    check_finite(name, value)
    if not 0.0 <= value < 1.0:
        raise UserError(f"{name}: {value} is not in [0, 1)")


def _check_amount(name: str, value: object, wanted: str, right: Any) -> None:
    if value is None:
        return
    if not is_number(value) or not math.isfinite(value) or not right(value):
        raise UserError(f"{name}: {shown(value)} is neither None nor a number {wanted}")
