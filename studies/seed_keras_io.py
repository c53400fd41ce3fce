"""Does the second bidirectional LSTM of Keras's own IMDB example pay?

The example of keras.io: two bidirectional LSTMs of 64 units, two epochs, the last epoch scored. Its
protocol on fresh seeds, without a search, with one layer beside it. It says that it reads the first
200 words, but `pad_sequences` keeps the last 200, and so does this study. The example trains on
25,000 reviews and scores 25,000 others; here it is 20,000 and 5,000. With `--dataset imdb-keras`
the reviews are the example's, 20,000 of them for training, scored on its 25,000.
"""

from harness import Budget, Imdb, Study

study = Study(
    dataset=Imdb(train=20_000, validation=5_000, test=0),
    compare={"depth": [2, 1]},
    fixed={"cell": "lstm", "units": 64, "bidirectional": True, "sequence_length": 200,
           "learning_rate": 1e-3, "batch_size": 32, "embedding_dim": 128, "vocabulary": 20_000},
    pruner="none",
    budget=Budget(trials=1, epochs=2),
    replicates=5,
    patience=None,
    published={
        "source": "F. Chollet, Bidirectional LSTM on IMDB, keras.io: one training of depth 2",
        "val_accuracy": [0.8269, 0.8428],
        "val_loss": [0.4202, 0.3650],
        "accuracy": [0.7540, 0.9151],
        "loss": [0.4697, 0.2263],
    },
    seed=0,
)  # fmt: skip
