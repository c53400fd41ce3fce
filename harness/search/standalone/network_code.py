"""A study's network as lines of stock Keras, the same that `harness.training.networks` builds."""

from collections.abc import Iterator
from typing import Any

from harness.datasets.base.signature import Signature
from harness.spec.choices import FLOAT32
from harness.spec.hyperparameters import BAG, Hyperparameters

_LAYERS = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}


def lines(hp: Hyperparameters, signature: Signature) -> Iterator[str]:
    """From `inputs = …` to `model = …`."""
    if hp.precision != FLOAT32:
        yield f'keras.config.set_dtype_policy("{hp.precision}")'
    if signature.features:
        yield f"inputs = keras.Input(({hp.sequence_length}, {signature.features}))"
    else:
        yield f'inputs = keras.Input(({hp.sequence_length},), dtype="int32")'
    if hp.mask:
        yield "# Steps that are no padding. Of padding alone, pooling takes all."
        yield "real = keras.ops.not_equal(inputs, 0)"
        if signature.features:
            yield "real = keras.ops.any(real, axis=-1)"
        yield "none = keras.ops.logical_not(keras.ops.any(real, axis=1, keepdims=True))"
        yield "pooled = keras.ops.logical_or(real, none)"
    yield "x = inputs"
    if not signature.features:
        name = ', name="embedding"' if hp.pretrained else ""
        yield f"x = layers.Embedding({hp.vocabulary}, {hp.embedding_dim}{name})(x)"
        if hp.embedding_dropout:
            yield f"x = layers.SpatialDropout1D({hp.embedding_dropout!r})(x)"
    if hp.cell == BAG:
        yield f"x = layers.GlobalAveragePooling1D()(x{', mask=pooled' if hp.mask else ''})"
        if hp.dropout:
            yield f"x = layers.Dropout({hp.dropout!r})(x)"
    else:
        for number in range(1, hp.depth + 1):
            yield from _layer(hp, signature, number)
        yield from _pooling(hp)
    if 0 < signature.steps < hp.sequence_length:
        yield f"x = layers.Cropping1D(({hp.sequence_length - signature.steps}, 0))(x)"
    activation = {0: "linear", 2: "sigmoid"}.get(signature.classes, "softmax")
    dtype = "" if hp.precision == FLOAT32 else ', dtype="float32"'
    yield f'outputs = layers.Dense({signature.outputs}, activation="{activation}"{dtype})(x)'
    yield "model = keras.Model(inputs, outputs)"


def _layer(hp: Hyperparameters, signature: Signature, number: int) -> Iterator[str]:
    """A recurrent layer with its normalisation, dropout and residual connection."""
    units = hp.units_per_layer[number - 1]
    sequences = signature.steps > 0 or hp.pooling != "last" or number < hp.depth
    given: dict[str, Any] = {"return_sequences": True} if sequences else {}
    for name in ("activation", "kernel_initializer", "recurrent_initializer"):
        if name in hp.options:
            given[name] = getattr(hp, name)
    if hp.recurrent_dropout:
        given["recurrent_dropout"] = hp.recurrent_dropout
    arguments = "".join(f", {name}={value!r}" for name, value in given.items())
    layer = f"layers.{_LAYERS[hp.cell]}({units}{arguments})"
    if hp.bidirectional:
        layer = f"layers.Bidirectional({layer})"
    residual = hp.residual and number > 1
    if residual:
        yield "below = x"
    yield f"x = {layer}(x{', mask=real' if hp.mask else ''})".replace("'", '"')
    if hp.layer_norm == "output":
        yield "x = layers.LayerNormalization()(x)"
    if hp.dropout:
        yield f"x = layers.Dropout({hp.dropout!r})(x)"
    if residual:
        yield from _residual(hp, number, sequences)


def _residual(hp: Hyperparameters, number: int, sequences: bool) -> Iterator[str]:
    """Add what the layer reads; of one output, what belongs to it."""
    both = 2 if hp.bidirectional else 1
    width, before = (both * hp.units_per_layer[at] for at in (number - 1, number - 2))
    if not sequences and hp.bidirectional:
        if hp.mask:
            yield 'weights = keras.ops.cast(real, "float32")'
            yield "until = keras.ops.cumsum(weights, axis=1)"
            yield "total = keras.ops.sum(weights, axis=1, keepdims=True)"
            for name, place in (("last", "total"), ("first", "1.0")):
                yield (f'at = weights * keras.ops.cast(keras.ops.equal(until, {place}), "float32")')
                yield f"{name} = keras.ops.sum(below * keras.ops.expand_dims(at, -1), axis=1)"
        else:
            yield "last, first = below[:, -1], below[:, 0]"
        if width != before:
            yield f"project = layers.Dense({width}, use_bias=False)"
            yield "last, first = project(last), project(first)"
        half = width // 2
        yield f"below = keras.ops.concatenate([last[:, :{half}], first[:, {half}:]], axis=-1)"
    else:
        if not sequences:
            yield "below = below[:, -1]"
        if width != before:
            yield f"below = layers.Dense({width}, use_bias=False)(below)"
    yield "x = layers.Add()([below, x])"


def _pooling(hp: Hyperparameters) -> Iterator[str]:
    """From the outputs of all steps to one."""
    where = "keras.ops.where(keras.ops.expand_dims(pooled, -1), {}, -1e9)"
    if hp.pooling == "mean":
        yield f"x = layers.GlobalAveragePooling1D()(x{', mask=pooled' if hp.mask else ''})"
    elif hp.pooling == "max":
        if hp.mask:
            yield f"x = {where.format('x')}"
        yield "x = layers.GlobalMaxPooling1D()(x)"
    elif hp.pooling == "attention":
        yield "scores = layers.Dense(1, use_bias=False)(x)"
        if hp.mask:
            yield f"scores = {where.format('scores')}"
        yield "x = keras.ops.sum(keras.ops.softmax(scores, axis=1) * x, axis=1)"
