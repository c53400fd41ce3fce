"""Does depth pay on real sequences of numbers, handwritten digits read row by row?

scikit-learn's 1,797 images: eight time steps of eight features, ten classes. Depth 1 to 3.
"""

from harness import (
    Budget,
    CategoricalDistribution,
    Digits,
    FloatDistribution,
    Study,
    four_per_octave,
)

study = Study(
    dataset=Digits(),
    compare={"depth": [1, 2, 3]},
    search={
        "cell": CategoricalDistribution(["rnn", "gru", "lstm"]),
        "units": four_per_octave(8, 64),
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={"sequence_length": 8, "batch_size": 32},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=15, epochs=30),
    searches=3,
    replicates=2,
    patience=5,
    seed=0,
)
