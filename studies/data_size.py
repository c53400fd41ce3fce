"""Does depth pay once there are more reviews to learn from?

Depth 1 to 3 on 1,000, 4,000 and 16,000 training reviews. Smaller training splits are part of larger
ones; validation and test reviews are always the same. Each size has its own vocabulary. Four such
studies of five find true differences of 4.6 points with 4,000 reviews or more, of 14 to 35 with
1,000.
"""

from harness import Budget, FloatDistribution, Imdb, Study, four_per_octave

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    compare={"depth": [1, 2, 3], "train": [1_000, 4_000, 16_000]},
    search={
        "units": four_per_octave(4, 32),
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={"cell": "lstm", "sequence_length": 100, "batch_size": 32, "embedding_dim": 32,
           "vocabulary": 10_000},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=8, epochs=8),
    searches=3,
    replicates=2,
    seed=0,
)  # fmt: skip
