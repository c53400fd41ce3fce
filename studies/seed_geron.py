"""Does a second recurrent layer forecast two waves better, or do more units?

A well-known book compares a layer of one unit with two layers of twenty, so depth and units change
together. Here is the missing arm as well: one layer of twenty units. The book's protocol: Adam, 20
epochs, no early stopping, mean squared errors of 2,000 validation series. `1` and `20-20-1` end in
a recurrent unit, the others in a dense layer; `linear` has no recurrence.
"""

from typing import Any

from harness import Budget, Hyperparameters, Signature, Study, TwoWaves


def build(hp: Hyperparameters, signature: Signature, *, network: str) -> Any:
    import keras

    layers = [keras.Input((hp.sequence_length, signature.features))]
    if network == "linear":
        layers += [keras.layers.Flatten(), keras.layers.Dense(1)]
        return keras.Sequential(layers)
    *units, last = network.split("-")
    recurrent = [int(each) for each in units] + ([] if last == "dense" else [int(last)])
    for number, size in enumerate(recurrent, start=1):
        inner = number < len(recurrent)
        layers.append(keras.layers.SimpleRNN(size, return_sequences=inner))
    if last == "dense":
        layers.append(keras.layers.Dense(1))
    return keras.Sequential(layers)


study = Study(
    dataset=TwoWaves(train=7_000, validation=2_000, test=1_000),
    model=build,
    compare={"network": ["linear", "1", "20-dense", "20-20-1", "20-20-dense"]},
    fixed={"sequence_length": 50, "learning_rate": 1e-3, "batch_size": 32},
    pruner="none",
    budget=Budget(trials=1, epochs=20),
    replicates=5,
    patience=None,
    published={
        "source": "A. Géron, Hands-On Machine Learning, 2nd edition, chapter 15: one training each",
        "arms": {
            "network=linear": {"val_loss": 0.0042},
            "network=1": {"val_loss": 0.0109},
            "network=20-20-1": {"val_loss": 0.0029},
            "network=20-20-dense": {"val_loss": 0.0026},
        },
    },
    seed=0,
)
