"""The cost of a configuration by counting: parameters, floating-point operations, time steps.

No Keras. It counts the networks of `harness.models`: Embedding, recurrent layers, Dense head.
"""

from collections.abc import Iterator
from dataclasses import replace

from harness.datasets.base.signature import BINARY, Signature
from harness.spec.hyperparameters import BAG, Hyperparameters

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
# Bias vectors of each gate: Keras's GRU (reset_after) has one for each of its two products.
_BIASES = {"rnn": 1, "gru": 2, "lstm": 1}


def parameters(hp: Hyperparameters, signature: Signature) -> int:
    """The number of trainable parameters, exactly as Keras counts them.

    A recurrent layer with d inputs, u units and g gates has g·u·(d + u) weights and g·u biases (GRU
    twice as many biases). A bidirectional layer has twice as many of each, and gives the next layer
    2·u inputs. Source: the weights' shapes in keras/src/layers/rnn (3.15); a test compares them.
    Layer normalization has 2 parameters for each output of a layer, a residual connection between
    layers of different widths one matrix, attention one weight for each input of the head.
    """
    directions = 2 if hp.bidirectional else 1
    count = 0 if signature.features else hp.vocabulary * hp.embedding_dim
    for inputs, units, _ in _layers(hp, signature):
        gates = GATES[hp.cell] * units
        count += directions * (gates * (inputs + units) + _BIASES[hp.cell] * gates)
        if hp.layer_norm == "output":
            count += 2 * directions * units
    count += sum(inputs * outputs for inputs, outputs, _ in _projections(hp, signature))
    if hp.pooling == "attention":
        count += _features(hp, signature)
    return count + (_features(hp, signature) + 1) * signature.outputs


def forward_flops(hp: Hyperparameters, signature: Signature) -> int:
    """Floating-point operations of the matrix products in the forward pass of one batch.

    A multiplication and an addition count as 2. For each example and time step, a recurrent layer
    has 2·g·u·(d + u) operations: its products with the input and with the state (Appleyard, Kočiský
    and Blunsom 2016, arXiv:1604.01946, section 3). The head has 2·features·outputs for each example
    and each of its outputs in time. The projection of a residual connection has
    2·inputs·outputs for each step that it is needed for, attention 4·features: scores and their
    weighted mean. Not counted: gates, activations and biases (about 10·g·u for
    each time step), the embedding's look-up and pooling, loss and metrics. With few units, these
    take more time than what is counted.
    """
    directions = 2 if hp.bidirectional else 1
    per_example = sum(
        directions * steps * 2 * GATES[hp.cell] * units * (inputs + units)
        for inputs, units, steps in _layers(hp, signature)
    )
    per_example += sum(
        steps * 2 * inputs * outputs for inputs, outputs, steps in _projections(hp, signature)
    )
    if hp.pooling == "attention":
        per_example += hp.sequence_length * 4 * _features(hp, signature)
    head = 2 * _features(hp, signature) * signature.outputs * max(1, signature.steps)
    return hp.batch_size * (per_example + head)


def flops_per_step(hp: Hyperparameters, signature: Signature) -> int:
    """Floating-point operations of the matrix products in one training step.

    The backward pass has twice the operations of the forward pass: each product needs one for the
    gradient of its input and one for the gradient of its weights (Kaplan et al. 2020,
    arXiv:2001.08361, section 2.1). This is exact where an embedding is trained below the first
    layer, and slightly too high where the inputs are numbers. Not counted, besides what
    `forward_flops` leaves out: Adam, about 12 operations for each parameter. In a small model with
    a large vocabulary, Adam takes a large part of the time.
    """
    return 3 * forward_flops(hp, signature)


def recurrence_iterations(hp: Hyperparameters, signature: Signature = BINARY) -> int:
    """How many time steps one training step computes one after another.

    They are counted for every layer and direction, forward and backward. The two directions of a
    layer do not depend on each other, but one core computes them in turn. 0 for the bag of
    embeddings.
    """
    directions = 2 if hp.bidirectional else 1
    return 2 * directions * sum(steps for _, _, steps in _layers(hp, signature))


def _layers(hp: Hyperparameters, signature: Signature) -> Iterator[tuple[int, int, int]]:
    """The inputs, the units and the time steps of each recurrent layer."""
    if hp.cell == BAG:
        return
    if signature.decodes:  # the decoder's first layer also reads the encoder's last output
        read = replace(hp, sequence_length=hp.sequence_length - signature.steps)
        yield from _layers(read, BINARY)
        written = replace(hp.decoder, sequence_length=signature.steps)
        more = hp.units_per_layer[-1]
        for number, (inputs, units, steps) in enumerate(_layers(written, BINARY)):
            yield inputs + more * (number == 0), units, steps
        return
    inputs = _inputs(hp, signature)
    for units in hp.units_per_layer:
        yield inputs, units, hp.sequence_length
        inputs = 2 * units if hp.bidirectional else units


def _projections(hp: Hyperparameters, signature: Signature) -> Iterator[tuple[int, int, int]]:
    """The inputs, outputs and time steps of the projection of each residual connection."""
    if not hp.residual:
        return
    directions = 2 if hp.bidirectional else 1
    layers = list(_layers(hp, signature))
    for number, (inputs, units, _) in enumerate(layers[1:], start=2):
        if inputs != directions * units:
            ends_alone = number == hp.depth and hp.pooling == "last" and not signature.steps
            steps = directions if ends_alone else hp.sequence_length
            yield inputs, directions * units, steps


def _features(hp: Hyperparameters, signature: Signature) -> int:
    """The number of inputs of the head."""
    if hp.cell == BAG:
        return _inputs(hp, signature)
    return (2 if hp.bidirectional else 1) * hp.units_per_layer[-1]


def _inputs(hp: Hyperparameters, signature: Signature) -> int:
    """The number of inputs of the first layer, for each time step."""
    return signature.features or hp.embedding_dim
