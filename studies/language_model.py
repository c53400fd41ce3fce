"""Does a deeper network, or another cell, predict the next character of reviews better?

Depth 1 to 3 of LSTM and GRU, with 60,000 parameters each, on 500,000 characters of IMDB reviews,
which they read in order: layers carry their state on. Scores are bits per character; lower is
better. An n-gram model and compression are the baselines. The budget is small, and trainings end
before they have converged. So it shows how fast networks learn, too. Four such studies of five find
true differences of 0.20 to 0.26 bits between one layer and two.
"""

from harness import Budget, Characters, FloatDistribution, Study

study = Study(
    dataset=Characters(train=10_240, validation=1_024, test=2_048),
    compare={"depth": [1, 2, 3], "cell": ["lstm", "gru"]},
    hold={"parameters": 60_000},
    search={
        "learning_rate": FloatDistribution(2e-3, 2e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.3),
    },
    fixed={
        "sequence_length": 50,
        "batch_size": 32,
        "embedding_dim": 32,
        "vocabulary": 100,
        "stateful": True,
    },
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=4, epochs=12, trial_epochs=4),
    searches=3,
    replicates=1,
    patience=3,
    seed=0,
)
