"""Does stacking LSTM layers pay on IMDB reviews?

Depth 1 to 4, each with its own units, sequence length, learning rate and dropout. Four such studies
of five find true differences of 1.6 to 3.0 points.
"""

from harness import Budget, CategoricalDistribution, FloatDistribution, Imdb, Study, four_per_octave

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    compare={"depth": [1, 2, 3, 4]},
    search={
        "units": four_per_octave(4, 64),
        "sequence_length": CategoricalDistribution([50, 100, 200]),
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={"cell": "lstm", "batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000},
    sampler="lcb",
    pruner="none",
    budget=Budget(trials=12, epochs=5, trial_epochs=2),
    searches=3,
    replicates=2,
    seed=0,
)
