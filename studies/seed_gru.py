"""Does a tutorial's stack of two GRU layers of 5 units reach the accuracy that it printed?

Exactly the tutorial's protocol, on fresh seeds: no search, no early stopping, the last epoch's
weights scored on the validation split. With `--dataset imdb-keras` the data are the tutorial's own,
plus Keras's test split of 25,000 reviews.
"""

from harness import Budget, Imdb, Study

study = Study(
    dataset=Imdb(train=20_000, validation=5_000, test=0),
    fixed={"cell": "gru", "depth": 2, "units": 5, "sequence_length": 100, "learning_rate": 1e-3,
           "batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000},
    pruner="none",
    budget=Budget(trials=1, epochs=5),
    replicates=5,
    patience=None,
    published={
        "source": "A tutorial, 2 × GRU(5) on Keras's own split of the reviews",
        "val_accuracy": [0.8254, 0.8382, 0.8380, 0.8334, 0.8350],
        "val_loss": [0.4096, 0.3747, 0.3786, 0.4212, 0.4947],
        "accuracy": [0.6448, 0.8750, 0.9180, 0.9479, 0.9653],
        "loss": [0.6085, 0.3155, 0.2229, 0.1555, 0.1119],
        "step_ms": [27.0, 26.0, 26.0, 25.0, 26.0],
    },
    seed=0,
)  # fmt: skip
