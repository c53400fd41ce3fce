"""The lines of stock Keras build the same network as the harness: same weights, same outputs."""

from typing import Any

import numpy as np
import pytest
from pairwise import pairwise

from harness.datasets.base.signature import Signature
from harness.search.standalone import network_code
from harness.spec.hyperparameters import Hyperparameters

SIGNATURES = {
    "texts": Signature(classes=3),
    "number": Signature(classes=0, features=2),
    "steps": Signature(classes=2, features=2, steps=3),
}
ROWS = pairwise(
    {
        "signature": [*SIGNATURES],
        "cell": ["lstm", "gru", "rnn"],
        "depth": [1, 2, 3],
        "pooling": ["last", "mean", "max", "attention"],
        "mask": [False, True],
        "residual": [True, False],
        "bidirectional": [True, False],
        "units_shape": ["pyramid", "equal"],
        "layer_norm": ["output", "none"],
        "recurrent_dropout": [0.0, 0.2],
        "activation": ["tanh", "relu"],
    }
)


def checked(hp: Hyperparameters, signature: Signature) -> None:
    import keras

    from harness.training import networks

    expected = networks.build(hp, signature, path="keras", seed=1)
    names: dict[str, Any] = {"keras": keras, "layers": keras.layers}
    exec("\n".join(network_code.lines(hp, signature)), names)
    found = names["model"]
    found.set_weights(expected.get_weights())
    random = np.random.default_rng(0)
    if signature.features:
        x = random.normal(size=(4, 8, 2)).astype(np.float32)
    else:
        x = random.integers(1, 40, (4, 8)).astype(np.int32)
    x[0, :4], x[1] = 0, 0  # partly, and all of it padding
    np.testing.assert_allclose(
        found.predict(x, verbose=0), expected.predict(x, verbose=0), atol=1e-6
    )
    assert _dropouts(found) == _dropouts(expected)


def _dropouts(model: Any) -> list[Any]:
    """What acts in training alone."""
    rates = []
    for layer in model.layers:
        inner = [getattr(layer, name, None) for name in ("forward_layer", "backward_layer")]
        for each in [each for each in inner if each] or [layer]:
            rates += [getattr(each, name, 0.0) for name in ("rate", "recurrent_dropout")]
            initializer = getattr(each, "kernel_initializer", None)
            rates.append(type(initializer or getattr(each, "cell", None)).__name__)
    return [rate for rate in rates if rate not in (0.0, "NoneType")]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(map(str, row.values())))
def test_all_options_build_the_same_network(row: dict[str, Any]) -> None:
    signature = SIGNATURES[row["signature"]]
    options = {name: value for name, value in row.items() if name != "signature"}
    if signature.steps:
        options["pooling"] = "last"
    if not signature.features:
        options |= {"vocabulary": 40, "embedding_dim": 5, "embedding_dropout": 0.2}
    hp = Hyperparameters(
        units=4, sequence_length=8, dropout=0.1, kernel_initializer="he_normal", **options
    )
    checked(hp, signature)


@pytest.mark.slow
@pytest.mark.parametrize("mask", [False, True])
def test_a_bag_of_embeddings(mask: bool) -> None:
    hp = Hyperparameters(
        cell="bag", depth=1, vocabulary=40, sequence_length=8, mask=mask, dropout=0.1
    )
    checked(hp, Signature())
    checked(hp, Signature(classes=3))
