"""Does a tutorial's stack of two LSTM layers of 5 units reach the accuracy that it printed?

Exactly the tutorial's protocol, on fresh seeds: no search, no early stopping, the last epoch's
weights scored on the validation split. With `--dataset imdb-keras` the data are the tutorial's own,
plus Keras's test split of 25,000 reviews.
"""

from harness import Budget, Imdb, Study

study = Study(
    dataset=Imdb(train=20_000, validation=5_000, test=0),
    fixed={"cell": "lstm", "depth": 2, "units": 5, "sequence_length": 100, "learning_rate": 1e-3,
           "batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000},
    pruner="none",
    budget=Budget(trials=1, epochs=5),
    replicates=5,
    patience=None,
    published={
        "source": "A tutorial, 2 × LSTM(5) on Keras's own split of the reviews",
        "val_accuracy": [0.8258, 0.8396, 0.8402, 0.8372, 0.8298],
        "val_loss": [0.3948, 0.3659, 0.3792, 0.4409, 0.4808],
        "accuracy": [0.6614, 0.8882, 0.9260, 0.9507, 0.9638],
        "loss": [0.5871, 0.2965, 0.2044, 0.1505, 0.1155],
        "step_ms": [27.0, 26.0, 25.0, 25.0, 25.0],
    },
    seed=0,
)  # fmt: skip
