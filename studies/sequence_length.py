"""What does cutting IMDB reviews short cost?

One LSTM layer on the last 50 to 400 words of each review.
"""

from harness import Budget, FloatDistribution, Imdb, Study, four_per_octave

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    compare={"sequence_length": [50, 100, 200, 400]},
    search={
        "units": four_per_octave(4, 64),
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={"cell": "lstm", "depth": 1, "batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=10, epochs=5),
    searches=3,
    replicates=2,
    seed=0,
)
