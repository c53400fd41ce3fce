"""Does a deep LSTM pay on IMDB reviews once its layers have residual connections?

Depth 1, 2, 4 and 8, with and without them; gradients are clipped. With one layer there is no
connection: those two arms are alike, and show how much two equal arms differ.
"""

from harness import Budget, CategoricalDistribution, FloatDistribution, Imdb, Study, four_per_octave

study = Study(
    dataset=Imdb(train=8_000, validation=4_000, test=5_000),
    compare={"depth": [1, 2, 4, 8], "residual": [False, True]},
    search={
        "units": four_per_octave(4, 32),
        "sequence_length": CategoricalDistribution([50, 100]),
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={
        "cell": "lstm",
        "clip_norm": 1.0,
        "batch_size": 32,
        "embedding_dim": 32,
        "vocabulary": 10_000,
    },
    sampler="lcb",
    pruner="none",
    budget=Budget(trials=8, epochs=5, trial_epochs=2),
    searches=3,
    replicates=2,
    seed=0,
)
