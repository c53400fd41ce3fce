"""Do more layers keep track of deeper nested brackets?

Two kinds of brackets are nested up to two, four and eight deep (Dyck languages). One to three LSTM
layers predict whether all of them match. Chance is 50 %; solved means 95 % right.
"""

from harness import Budget, Dyck, FloatDistribution, Study, four_per_octave

study = Study(
    dataset=Dyck(train=10_000, validation=2_000, test=2_000),
    compare={"depth": [1, 2, 3], "nesting": [2, 4, 8]},
    search={
        "units": four_per_octave(8, 32),
        "learning_rate": FloatDistribution(1e-3, 1e-2, log=True),
    },
    fixed={"cell": "lstm", "sequence_length": 81, "batch_size": 32, "embedding_dim": 8,
           "vocabulary": 8},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=5, epochs=15),
    searches=3,
    replicates=2,
    patience=4,
    seed=0,
)  # fmt: skip
