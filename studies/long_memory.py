"""Does a deeper network, or another cell, remember over longer distances?

Two symbols far apart decide the class (temporal order). Sequences of 50, 100 and 200 symbols, each
cell with one layer and with two. Solved means 95 % right; chance is 25 %. A bag of symbols, which
counts them but ignores their order, can reach 75 %. Four such studies of five find true differences
of 2 to 7 points where all trainings end alike, and of 60 to 84 where some solve it and some do not.
"""

from harness import Budget, FloatDistribution, Study, TemporalOrder, four_per_octave

study = Study(
    dataset=TemporalOrder(train=10_000, validation=2_000, test=2_000),
    compare={"cell": ["rnn", "gru", "lstm"], "depth": [1, 2], "length": [50, 100, 200]},
    search={
        "units": four_per_octave(8, 32),
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
    },
    fixed={"sequence_length": 201, "batch_size": 32, "embedding_dim": 8, "vocabulary": 10},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=4, epochs=12),
    searches=3,
    replicates=2,
    patience=4,
    seed=0,
)
