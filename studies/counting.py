"""Does a deeper network, or another cell, count modulo five over longer sequences?

The sum of digits modulo five. Sequences of 10, 20 and 40 digits, each cell with one layer and
with two. Solved means 95 % right; chance is 20 %.
"""

from harness import Budget, FloatDistribution, ModularCounting, Study, four_per_octave

study = Study(
    dataset=ModularCounting(train=10_000, validation=2_000, test=2_000),
    compare={"cell": ["rnn", "gru", "lstm"], "depth": [1, 2], "length": [10, 20, 40]},
    search={
        "units": four_per_octave(8, 32),
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
    },
    fixed={"sequence_length": 41, "batch_size": 32, "embedding_dim": 8, "vocabulary": 9},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=4, epochs=20),
    searches=3,
    replicates=2,
    patience=5,
    seed=0,
)
