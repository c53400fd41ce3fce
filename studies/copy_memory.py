"""Does a deeper network, or another cell, repeat ten symbols after a longer delay?

Copying memory: the network reads ten symbols, each one of eight, then blanks for 0, 10 or 50 steps.
Then it must output the ten symbols in order. Each cell with one layer and with two. Solved means
95 % of the symbols right; chance is 12.5 %.
"""

from harness import Budget, CopyMemory, FloatDistribution, Study, four_per_octave

study = Study(
    dataset=CopyMemory(train=10_000, validation=2_000, test=2_000),
    compare={"cell": ["rnn", "gru", "lstm"], "depth": [1, 2], "delay": [0, 10, 50]},
    search={
        "units": four_per_octave(16, 64),
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
    },
    fixed={"sequence_length": 72, "batch_size": 32, "embedding_dim": 16, "vocabulary": 14},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=4, epochs=20),
    searches=3,
    replicates=2,
    patience=4,
    seed=0,
)
