"""What a configuration costs by counting: parameters, matrix products, steps one after another.

No Keras. The layers are those of `harness.models`: Embedding, recurrent layers, a Dense head.
"""

from collections.abc import Iterator

from harness.datasets.base.signature import Signature
from harness.spec.hyperparameters import BAG, Hyperparameters

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
# Vectors of biases a gate: Keras's GRU (reset_after) adds one to either product.
_BIASES = {"rnn": 1, "gru": 2, "lstm": 1}


def parameters(hp: Hyperparameters, signature: Signature) -> int:
    """Trainable weights, exactly as Keras counts them.

    A recurrent layer with d inputs, u units and g gates has g·u·(d + u) weights and g·u biases
    (GRU twice as many), both directions of a bidirectional one; the next layer then has 2·u
    inputs. Source: the weights' shapes in keras/src/layers/rnn (3.15); a test holds it to them.
    """
    directions = 2 if hp.bidirectional else 1
    count = 0 if signature.features else hp.vocabulary * hp.embedding_dim
    for inputs, units in _layers(hp, signature):
        gates = GATES[hp.cell] * units
        count += directions * (gates * (inputs + units) + _BIASES[hp.cell] * gates)
    return count + (_features(hp, signature) + 1) * signature.outputs


def forward_flops(hp: Hyperparameters, signature: Signature) -> int:
    """Floating-point operations of the matrix products of one batch's way forward.

    A multiplication and an addition count as 2. Per example and time step a recurrent layer has
    2·g·u·(d + u), for its product with the input and that with the state (Appleyard, Kočiský and
    Blunsom 2016, arXiv:1604.01946, section 3); the head has 2·features·outputs per example, and
    step that has an output. Left out: gates, activations and biases (some 10·g·u a time step), the
    embedding's look-up and pooling, loss and metrics. With few units they take more time than what
    is counted.
    """
    directions = 2 if hp.bidirectional else 1
    per_example = sum(
        directions * hp.sequence_length * 2 * GATES[hp.cell] * units * (inputs + units)
        for inputs, units in _layers(hp, signature)
    )
    head = 2 * _features(hp, signature) * signature.outputs * max(1, signature.steps)
    return hp.batch_size * (per_example + head)


def flops_per_step(hp: Hyperparameters, signature: Signature) -> int:
    """Floating-point operations of the matrix products of one training step.

    Forward once, and backward twice as much: for each product one for the gradient of its input,
    one for that of its weights (Kaplan et al. 2020, arXiv:2001.08361, section 2.1). That is exact
    where an embedding below the first layer is trained, too, and a little too much where numbers
    come in. Left out, besides what `forward_flops` leaves out: Adam, about 12 operations a
    parameter, which in a small model over a large vocabulary is a large part of the time.
    """
    return 3 * forward_flops(hp, signature)


def recurrence_iterations(hp: Hyperparameters) -> int:
    """Time steps that one training step runs one after another: layers, directions, there and back.

    The directions of a bidirectional layer do not wait for each other, but one core runs them in
    turn. 0 for the bag of embeddings.
    """
    directions = 2 if hp.bidirectional else 1
    return 0 if hp.cell == BAG else 2 * directions * hp.depth * hp.sequence_length


def _layers(hp: Hyperparameters, signature: Signature) -> Iterator[tuple[int, int]]:
    """Of each recurrent layer its inputs and its units."""
    if hp.cell == BAG:
        return
    inputs = _inputs(hp, signature)
    for units in hp.units_per_layer:
        yield inputs, units
        inputs = 2 * units if hp.bidirectional else units


def _features(hp: Hyperparameters, signature: Signature) -> int:
    """What the head gets, per example."""
    if hp.cell == BAG:
        return _inputs(hp, signature)
    return (2 if hp.bidirectional else 1) * hp.units_per_layer[-1]


def _inputs(hp: Hyperparameters, signature: Signature) -> int:
    """What the first layer gets, per time step."""
    return signature.features or hp.embedding_dim
