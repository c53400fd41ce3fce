"""Does a mask pay against padding that the network reads, on IMDB reviews?

One LSTM layer. The padding stands in front, and most reviews are shorter than 400 words.
"""

from harness import Budget, CategoricalDistribution, FloatDistribution, Imdb, Study, four_per_octave

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    compare={"mask": [False, True]},
    search={
        "units": four_per_octave(4, 64),
        "pooling": CategoricalDistribution(["last", "mean", "max"]),
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={
        "cell": "lstm",
        "depth": 1,
        "sequence_length": 400,
        "batch_size": 32,
        "embedding_dim": 32,
        "vocabulary": 10_000,
    },
    sampler="lcb",
    pruner="none",
    budget=Budget(trials=12, epochs=5, trial_epochs=2),
    searches=3,
    replicates=2,
    seed=0,
)
