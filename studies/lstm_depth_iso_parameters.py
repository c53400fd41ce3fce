"""Does stacking LSTM layers pay when every depth has the same number of parameters?

Depth 1 to 4. The units are chosen to come closest to 340,000 parameters; 320,000 of them are the
embedding.
"""

from harness import Budget, FloatDistribution, Imdb, Study

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    compare={"depth": [1, 2, 3, 4]},
    hold={"parameters": 340_000},
    search={
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={
        "cell": "lstm",
        "sequence_length": 100,
        "batch_size": 32,
        "embedding_dim": 32,
        "vocabulary": 10_000,
    },
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=10, epochs=5),
    searches=3,
    replicates=2,
    seed=0,
)
