"""From hyperparameters to a Keras model: Embedding, a stack of recurrent layers, a Dense head.

Every execution path has the same layers, weights and initial values. So a model trained on any
path becomes a model of stock Keras layers if its weights are copied (`to_stock`).
"""

import contextlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np

from harness.core.errors import UserError
from harness.datasets.base.signature import BINARY, Signature
from harness.datasets.base.vectors import Vectors
from harness.spec.choices import FLOAT32
from harness.spec.hyperparameters import BAG, Hyperparameters
from harness.training.recurrent import PATHS

STOCK = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}
EMBEDDING_DROPOUT = "embedding_dropout"
DECODER = "decoder_"  # the names of a decoder's layers begin so

Part = Callable[[Any], Any]  # a layer, or a function of a tensor made of layers


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
        with _dtype_policy(hp.precision):
            if signature.builder is not None:
                keras.utils.set_random_seed(seed)
                model = signature.builder(hp, signature, **dict(hp.own))
                _check_outputs(model, hp.precision)
                return model
            _set_seed(seed)
            return _network(hp, signature, path)
    finally:
        random.setstate(state)


def _check_outputs(model: keras.Model, precision: str) -> None:
    """Raises UserError where mixed precision rounds the outputs of a study's own network."""
    if precision == FLOAT32:
        return
    dtypes = {keras.backend.standardize_dtype(output.dtype) for output in model.outputs}
    if dtypes != {FLOAT32}:
        raise UserError(
            f"precision: with {precision} the last layer of your model computes in "
            f'{", ".join(sorted(dtypes))}; give that layer dtype="{FLOAT32}"'
        )


@contextlib.contextmanager
def _dtype_policy(precision: str) -> Iterator[None]:
    """A block in which layers get this dtype policy of Keras."""
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy(precision)
        yield
    finally:
        keras.config.set_dtype_policy(before)


def to_stock(model: keras.Model, hp: Hyperparameters, signature: Signature = BINARY) -> keras.Model:
    """The same model with stock Keras layers only, which loads without this package.

    Its layers carry no state on.
    """
    stock = build(replace(hp, stateful=False), signature, path="keras", seed=0)
    stock.set_weights(model.get_weights())
    return stock


def states(model: keras.Model) -> list[Any]:
    """The states that layers carry from batch to batch; not among its `variables`."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]
    return [variable for layer in layers for variable in layer.states or ()]


def forget(model: keras.Model) -> None:
    """Set these states to zero."""
    for variable in states(model):
        variable.assign(keras.ops.zeros(variable.shape, variable.dtype))


def _set_seed(seed: int) -> None:
    """As keras.utils.set_random_seed, for the layers here, which draw their seeds from `random`.

    Keras's function imports TensorFlow wherever it is installed, which takes seconds.
    """
    if keras.backend.backend() == "jax":
        random.seed(seed)
    else:
        keras.utils.set_random_seed(seed)


def _network(hp: Hyperparameters, signature: Signature, path: str) -> keras.Model:
    """A Sequential model where layers just follow one another, else a functional one."""
    batch = hp.batch_size if hp.stateful else None  # layers keep a state for each of its rows
    shape = (batch, hp.sequence_length, *([signature.features] if signature.features else []))
    dtype = "float32" if signature.features else "int32"
    inputs = keras.Input(batch_shape=shape, dtype=dtype)
    masks = _Masks.of(inputs, signature) if hp.mask else None
    if signature.decodes:
        return keras.Model(inputs, _translated(inputs, hp, signature, path))
    parts = list(_parts(hp, signature, path, masks))
    if all(isinstance(part, keras.layers.Layer) for part in parts):
        return keras.Sequential([inputs, *parts])
    outputs = inputs
    for part in parts:
        outputs = part(outputs)
    return keras.Model(inputs, outputs)


def start_embedding(model: keras.Model, vectors: Vectors) -> None:
    """Set the embeddings of the words that have vectors; those of the others stay as they are."""
    weights = model.get_layer("embedding").embeddings
    values = np.array(keras.ops.convert_to_numpy(weights))
    values[vectors.ids] = vectors.values
    weights.assign(values)


def adjustable(model: keras.Model) -> Iterator[tuple[Any, str]]:
    """Layers whose rate is a variable, each with the hyperparameter that it follows."""
    for layer in model.layers:
        both = ("forward_layer", "backward_layer")
        for each in [getattr(layer, name) for name in both if hasattr(layer, name)] or [layer]:
            if isinstance(each, keras.layers.RNN):
                if getattr(each, "rate_variable", None) is not None:
                    yield each, "recurrent_dropout"
            elif hasattr(each, "set_rate"):
                yield each, "embedding_dropout" if each.name == EMBEDDING_DROPOUT else "dropout"


def _parts(
    hp: Hyperparameters, signature: Signature, path: str, masks: "_Masks | None"
) -> Iterator[Part]:
    """What turns the inputs into the outputs, in order: layers, or functions of a tensor."""
    length, steps = hp.sequence_length, signature.steps
    if not signature.features:
        yield keras.layers.Embedding(hp.vocabulary, hp.embedding_dim, name="embedding")
        if hp.embedding_dropout > 0.0:
            yield _dropout(hp.embedding_dropout, path, EMBEDDING_DROPOUT, whole_steps=True)
    if hp.cell == BAG:
        yield _masked(keras.layers.GlobalAveragePooling1D(name="bag"), masks and masks.pooling)
        if hp.dropout > 0.0:
            yield _dropout(hp.dropout, path, "dropout_1")
    else:
        yield from _stack(hp, signature, path, masks)
        if hp.pooling != "last":
            yield _pooling(hp.pooling, masks)
    if 0 < steps < length:
        yield keras.layers.Cropping1D((length - steps, 0), name="last_steps")
    activation = {0: "linear", 2: "sigmoid"}.get(signature.classes, "softmax")
    yield _head(hp, signature.outputs, activation)


def _translated(inputs: Any, hp: Hyperparameters, signature: Signature, path: str) -> Any:
    """The outputs of an encoder-decoder; both have their own recurrent layers, and one embedding.

    The encoder's last output is an input of the decoder at each of its steps: Cho et al. 2014,
    arXiv:1406.1078, without its other ways from one to the other.
    """
    steps = signature.steps
    embedded = keras.layers.Embedding(hp.vocabulary, hp.embedding_dim, name="embedding")(inputs)
    if hp.embedding_dropout > 0.0:
        embedded = _dropout(hp.embedding_dropout, path, EMBEDDING_DROPOUT, whole_steps=True)(
            embedded
        )
    summary, written = embedded[:, :-steps], embedded[:, -steps:]
    for part in _stack(hp, replace(signature, steps=0), path, None):
        summary = part(summary)
    repeated = keras.layers.RepeatVector(steps, name="summary")(summary)
    x = keras.layers.Concatenate(name="read")([written, repeated])
    for part in _stack(hp.decoder, signature, path, None, prefix=DECODER):
        x = part(x)
    return _head(hp, signature.outputs, "softmax")(x)


def _head(hp: Hyperparameters, outputs: int, activation: str) -> keras.layers.Layer:
    """The last layer, whose outputs are float32 on every dtype policy."""
    given = {} if hp.precision == FLOAT32 else {"dtype": FLOAT32}
    return keras.layers.Dense(outputs, activation=activation, name="head", **given)


def _stack(
    hp: Hyperparameters,
    signature: Signature,
    path: str,
    masks: "_Masks | None",
    *,
    prefix: str = "",
) -> Iterator[Part]:
    """The recurrent layers, each with its normalisation and dropout; names begin with `prefix`."""
    widths = [units * (2 if hp.bidirectional else 1) for units in hp.units_per_layer]
    for number, units in enumerate(hp.units_per_layer, start=1):
        sequences = signature.steps > 0 or hp.pooling != "last" or number < hp.depth
        layer = _recurrent(hp, units, path, f"{prefix}{hp.cell}_{number}", sequences)
        if hp.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{number}")
        body = [_masked(layer, masks and masks.steps)]
        if hp.layer_norm == "output":
            body.append(keras.layers.LayerNormalization(name=f"{prefix}layer_norm_{number}"))
        if hp.dropout > 0.0:
            body.append(_dropout(hp.dropout, path, f"{prefix}dropout_{number}"))
        if not hp.residual or number == 1:
            yield from body
            continue
        width = widths[number - 1]
        projection = (
            None
            if width == widths[number - 2]
            else keras.layers.Dense(width, use_bias=False, name=f"projection_{number}")
        )
        pick = None if sequences else partial(_ends if hp.bidirectional else _last, masks=masks)
        add = keras.layers.Add(name=f"residual_{number}")
        yield partial(_residual, body=body, projection=projection, pick=pick, add=add)


def _residual(
    x: Any, *, body: Sequence[Part], projection: Part | None, pick: Any, add: Part
) -> Any:
    """The outputs of `body`, with their input added.

    Where `body` gives one output and not one for each step, `pick` has the input that belongs to
    it.
    """
    y = x
    for part in body:
        y = part(y)
    project = projection or (lambda tensor: tensor)
    return add([project(x) if pick is None else pick(x, project), y])


def _last(x: Any, project: Part, *, masks: "_Masks | None") -> Any:
    """The last step; after a mask, layers of one direction repeat their outputs up to it."""
    return project(x[:, -1])


def _ends(x: Any, project: Part, *, masks: "_Masks | None") -> Any:
    """The last step for the first direction, and the first step for the other one.

    Layers of two directions give zeros where the mask leaves a step out.
    """
    last, first = (x[:, -1], x[:, 0]) if masks is None else masks.ends(x)
    last, first = project(last), project(first)
    half = last.shape[-1] // 2
    return keras.ops.concatenate([last[:, :half], first[:, half:]], axis=-1)


def _pooling(kind: str, masks: "_Masks | None") -> Part:
    """From the outputs of all steps, (batch, time, units), to (batch, units)."""
    mask = masks and masks.pooling
    if kind == "mean":
        return _masked(keras.layers.GlobalAveragePooling1D(name="mean"), mask)
    if kind == "max":
        pool = keras.layers.GlobalMaxPooling1D(name="max")
        return pool if mask is None else (lambda x: pool(_only(mask, x)))
    score = keras.layers.Dense(1, use_bias=False, name="attention")

    def attention(x: Any) -> Any:
        scores = score(x) if mask is None else _only(mask, score(x))
        return keras.ops.sum(keras.ops.softmax(scores, axis=1) * x, axis=1)

    return attention


class _Masks(NamedTuple):
    """Which steps are no padding, bool (batch, time).

    A sequence of padding alone has no step to pool: pooling then takes all of them.
    """

    steps: Any
    pooling: Any

    @classmethod
    def of(cls, inputs: Any, signature: Signature) -> "_Masks":
        """Of tokens other than 0, as Embedding(mask_zero=True), or numbers, as Masking()."""
        steps = keras.ops.not_equal(inputs, 0)
        if signature.features:
            steps = keras.ops.any(steps, axis=-1)
        none = keras.ops.logical_not(keras.ops.any(steps, axis=1, keepdims=True))
        return cls(steps, keras.ops.logical_or(steps, none))

    def ends(self, x: Any) -> tuple[Any, Any]:
        """The last and the first step of `x` (batch, time, width) that are no padding."""
        ops = keras.ops
        real = ops.cast(self.steps, "float32")
        until = ops.cumsum(real, axis=1)
        first = real * ops.cast(ops.equal(until, 1.0), "float32")
        last = real * ops.cast(ops.equal(until, ops.sum(real, axis=1, keepdims=True)), "float32")
        picked = (ops.sum(x * ops.expand_dims(place, -1), axis=1) for place in (last, first))
        return tuple(picked)


def _masked(layer: Any, mask: Any) -> Part:
    return layer if mask is None else partial(layer, mask=mask)


def _only(mask: Any, x: Any) -> Any:
    """`x` where the mask is true, else so low that no maximum or softmax takes it."""
    return keras.ops.where(keras.ops.expand_dims(mask, -1), x, -1e9)


def _recurrent(
    hp: Hyperparameters, units: int, path: str, name: str, sequences: bool
) -> keras.layers.Layer:
    given: dict[str, Any] = {
        name: getattr(hp, name)
        for name in ("activation", "kernel_initializer", "recurrent_initializer")
        if name in hp.options
    }
    if hp.stateful:
        given["stateful"] = True
    if hp.recurrent_dropout > 0.0:
        given["recurrent_dropout"] = hp.recurrent_dropout
    return _layer_class(hp.cell, path)(units, return_sequences=sequences, name=name, **given)


def _layer_class(cell: str, path: str) -> Any:
    if path == "keras":
        return getattr(keras.layers, STOCK[cell])
    from harness.training.recurrent.layers import LAYERS  # here: not every backend has them

    return LAYERS[path][cell]


def _dropout(rate: float, path: str, name: str, *, whole_steps: bool = False) -> keras.layers.Layer:
    """Dropout of single numbers or, with `whole_steps`, of a number at all steps alike."""
    if path == "keras":
        kind = keras.layers.SpatialDropout1D if whole_steps else keras.layers.Dropout
        return kind(rate, name=name)
    from harness.training.recurrent.layers import RateDropout, RateSpatialDropout1D

    return (RateSpatialDropout1D if whole_steps else RateDropout)(rate, name=name)
