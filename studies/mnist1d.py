"""Does a second GRU layer pay on one-dimensional digits, in order and with their points shuffled?

MNIST-1D, with the network and the protocol of its authors on fresh seeds: a bidirectional GRU of 6
units, a dense layer on the outputs of all 40 steps, Adam, 8,000 steps (200 epochs) without early
stopping. The second layer is ours. Their accuracies are of the test split, one training each.
"""

from typing import Any

from harness import Budget, Hyperparameters, Mnist1d, Signature, Study


def build(hp: Hyperparameters, signature: Signature) -> Any:
    import keras

    layers = [keras.Input((hp.sequence_length, signature.features))]
    for units in hp.units_per_layer:
        layer = keras.layers.GRU(units, return_sequences=True)
        layers.append(keras.layers.Bidirectional(layer))
    layers += [keras.layers.Flatten(), keras.layers.Dense(signature.outputs, activation="softmax")]
    return keras.Sequential(layers)


study = Study(
    dataset=Mnist1d(),
    model=build,
    compare={"depth": [1, 2], "shuffled": [False, True]},
    fixed={"cell": "gru", "units": 6, "sequence_length": 40, "learning_rate": 1e-2,
           "batch_size": 100},
    pruner="none",
    budget=Budget(trials=1, epochs=200),
    replicates=5,
    patience=None,
    published={
        "source": "S. Greydanus and D. Kobak, Scaling Down Deep Learning with MNIST-1D (2020)",
        "arms": {
            "depth=1,shuffled=False": {"val_accuracy": 0.91},
            "depth=1,shuffled=True": {"val_accuracy": 0.57},
        },
    },
    seed=0,
)  # fmt: skip
