"""Does a deeper network, or another cell, add up two numbers over longer distances?

The adding problem: two numbers of a sequence are marked, and the network predicts their sum.
Sequences of 50, 100 and 200 numbers, each cell with one layer and with two. Solved means an R² of
95 %. Always predicting 1 gets 0 %.
"""

from harness import Adding, Budget, FloatDistribution, Study, four_per_octave

study = Study(
    dataset=Adding(train=10_000, validation=2_000, test=2_000),
    compare={"cell": ["rnn", "gru", "lstm"], "depth": [1, 2], "length": [50, 100, 200]},
    search={
        "units": four_per_octave(8, 32),
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
    },
    fixed={"sequence_length": 200, "batch_size": 32},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=4, epochs=12),
    searches=3,
    replicates=2,
    patience=4,
    seed=0,
)
