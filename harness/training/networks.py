"""From hyperparameters to a Keras model: Embedding, a stack of recurrent layers, a Dense head.

Every execution path has the same layers, weights and initial values. So a model trained on any
path becomes a model of stock Keras layers if its weights are copied (`to_stock`).
"""

import random
from typing import Any

import keras

from harness.datasets.base.signature import BINARY, Signature
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.training.recurrent import PATHS

STOCK = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}


def build(
    hp: Hyperparameters, signature: Signature = BINARY, *, path: str, seed: int
) -> keras.Model:
    """A model with the inputs and outputs of `signature`, for `hp.sequence_length` steps.

    The output is one sigmoid for two classes, a softmax for more, and linear for a number. Dropout
    layers exist only if `hp.dropout` is above 0. On every path the initial weights are those that
    a stock Keras model of the same layers gets after `keras.utils.set_random_seed(seed)`. If the
    signature has a builder, it is called as `builder(hp, signature, **hp.own)`. Raises ValueError
    for an unknown path.
    """
    if path not in PATHS:
        raise ValueError(f"path: {path!r} is not one of {', '.join(PATHS)}")
    state = random.getstate()  # set_random_seed would change the random numbers of the caller
    try:
        keras.utils.set_random_seed(seed)
        if signature.builder is not None:
            return signature.builder(hp, signature, **dict(hp.own))
        return keras.Sequential(_layers(hp, signature, path))
    finally:
        random.setstate(state)


def to_stock(model: keras.Model, hp: Hyperparameters, signature: Signature = BINARY) -> keras.Model:
    """The same model with stock Keras layers only, which loads without this package."""
    stock = build(hp, signature, path="keras", seed=0)
    stock.set_weights(model.get_weights())
    return stock


def _layers(hp: Hyperparameters, signature: Signature, path: str) -> list[Any]:
    length, steps = hp.sequence_length, signature.steps
    if signature.features:
        layers = [keras.Input((length, signature.features), dtype="float32")]
    else:
        layers = [
            keras.Input((length,), dtype="int32"),
            keras.layers.Embedding(hp.vocabulary, hp.embedding_dim, name="embedding"),
        ]
    for number, units in enumerate(hp.units_per_layer, start=1):
        if hp.cell == BAG:
            layers.append(keras.layers.GlobalAveragePooling1D(name="bag"))
        else:
            sequences = steps > 0 or number < hp.depth
            layers.append(_recurrent(hp, units, path, number, sequences))
        if hp.dropout > 0.0:
            layers.append(_dropout(hp.dropout, path, f"dropout_{number}"))
    if 0 < steps < length:
        layers.append(keras.layers.Cropping1D((length - steps, 0), name="last_steps"))
    activation = {0: "linear", 2: "sigmoid"}.get(signature.classes, "softmax")
    layers.append(keras.layers.Dense(signature.outputs, activation=activation, name="head"))
    return layers


def _recurrent(
    hp: Hyperparameters, units: int, path: str, number: int, sequences: bool
) -> keras.layers.Layer:
    layer = _layer_class(hp.cell, path)(
        units, return_sequences=sequences, name=f"{hp.cell}_{number}"
    )
    if hp.bidirectional:
        return keras.layers.Bidirectional(layer, name=f"bidirectional_{number}")
    return layer


def _layer_class(cell: str, path: str) -> Any:
    if path == "keras":
        return getattr(keras.layers, STOCK[cell])
    from harness.training.recurrent.layers import LAYERS  # here, because it needs TensorFlow

    return LAYERS[path][cell]


def _dropout(rate: float, path: str, name: str) -> keras.layers.Layer:
    if path == "keras":
        return keras.layers.Dropout(rate, name=name)
    from harness.training.recurrent.layers import RateDropout

    return RateDropout(rate, name=name)
