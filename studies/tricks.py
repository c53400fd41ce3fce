"""Which of clipping, recurrent dropout, layer normalization and mean pooling pays at equal cost?

Two LSTM layers with each combination of the four. The units are chosen so that a training step
takes 8 ms, measured on this machine: what makes a step longer has to pay for it.
"""

from harness import Budget, FloatDistribution, Imdb, Study

study = Study(
    dataset=Imdb(train=16_000, validation=4_000, test=5_000),
    compare={
        "clip_norm": [None, 1.0],
        "recurrent_dropout": [0.0, 0.25],
        "layer_norm": ["none", "output"],
        "pooling": ["last", "mean"],
    },
    hold={"step_ms": 8.0},
    search={
        "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={
        "cell": "lstm",
        "depth": 2,
        "sequence_length": 100,
        "batch_size": 32,
        "embedding_dim": 32,
        "vocabulary": 10_000,
    },
    sampler="lcb",
    pruner="none",
    budget=Budget(trials=6, epochs=5, trial_epochs=2),
    searches=3,
    replicates=2,
    seed=0,
)
