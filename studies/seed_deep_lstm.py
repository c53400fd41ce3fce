"""What does a tutorial's deep model, LSTM of 128 units below LSTM of 64, reach on IMDB reviews?

Embedding 64, trained as the tutorial trains its smaller models: no search, no early stopping, the
last epoch's weights scored on the validation split. The tutorial printed no figures for this one.
"""

from harness import Budget, Imdb, Study

study = Study(
    dataset=Imdb(train=20_000, validation=5_000, test=0),
    fixed={"cell": "lstm", "depth": 2, "units": [128, 64], "sequence_length": 100,
           "learning_rate": 1e-3, "batch_size": 32, "embedding_dim": 64, "vocabulary": 10_000},
    pruner="none",
    budget=Budget(trials=1, epochs=5),
    replicates=5,
    patience=None,
    seed=0,
)  # fmt: skip
