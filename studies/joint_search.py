"""Which recurrent network is best on IMDB reviews, cell type and depth included?

One arm: cell, depth, units, sequence length, learning rate and dropout are searched together.
"""

from harness import (
    Budget,
    CategoricalDistribution,
    FloatDistribution,
    Imdb,
    IntDistribution,
    Study,
    four_per_octave,
)

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    search={
        "cell": CategoricalDistribution(["rnn", "lstm", "gru"]),
        "depth": IntDistribution(1, 4),
        "units": four_per_octave(4, 64),
        "sequence_length": CategoricalDistribution([50, 100, 200]),
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={"batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=40, epochs=5),
    searches=1,
    replicates=5,
    seed=0,
)
