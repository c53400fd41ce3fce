"""Which trainings have the same compiled program, and can be trained at once by it. No Keras."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import Hyperparameters

RATES = ("dropout", "embedding_dropout", "recurrent_dropout")


def compiled_shape(hp: Hyperparameters, path: str) -> Hyperparameters:
    """`hp` without what a compiled program of `path` does not depend on: equal programs are equal.

    Rates are variables of a program. Stock layers have the rates of dropout compiled in.
    """
    free: dict[str, Any] = {
        "learning_rate": 1.0,
        "units": hp.units_per_layer,
        "units_shape": "equal",
        "kernel_initializer": Hyperparameters.kernel_initializer,
        "recurrent_initializer": Hyperparameters.recurrent_initializer,
        "pretrained": None,
    }
    if hp.schedule == "plateau":  # set between epochs
        free["schedule"] = "constant"
    if path != "keras":
        free |= {name: 0.5 * (getattr(hp, name) > 0.0) for name in RATES}
        if hp.weight_decay is not None:
            free["weight_decay"] = 0.0
    return replace(hp, **free)


def why_alone(members: Sequence[Hyperparameters], signature: Signature, path: str) -> str | None:
    """Why these can't be trained side by side on a path of JAX; None if they can."""
    if path == "keras" or signature.builder is not None:
        return "path keras: stock layers and models of one's own have no program of JAX"
    if any(hp.stateful for hp in members):
        return "stateful: the layers carry states on from batch to batch"
    first, *others = [compiled_shape(hp, path) for hp in members]
    for other in others:
        for each in fields(first):
            if getattr(other, each.name) != getattr(first, each.name):
                return f"{each.name}: the members have different programs"
    if len({hp.pretrained for hp in members}) > 1:
        return "pretrained: the members start from different vectors"
    return None
