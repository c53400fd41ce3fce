"""A run directory as the version before the packages wrote it."""

from harness import Budget, FloatDistribution, Parity, Study

study = Study(
    dataset=Parity(train=64, validation=32, test=32, length=6),
    compare={"depth": [1, 2]},
    search={"learning_rate": FloatDistribution(1e-3, 1e-1, log=True)},
    fixed={
        "cell": "gru",
        "units": 4,
        "batch_size": 16,
        "dropout": 0.0,
        "sequence_length": 7,
        "embedding_dim": 4,
        "vocabulary": 6,
    },
    budget=Budget(trials=2, epochs=2),
    replicates=2,
)
