"""Does depth pay in forecasts of atmospheric carbon dioxide, a quarter of a year ahead?

The weekly record of Mauna Loa, which statsmodels contains: a season of a year on a rising trend.
Depth 1 to 3, windows of half a year to two years.
"""

from harness import (
    Budget,
    CategoricalDistribution,
    Co2,
    FloatDistribution,
    Study,
    four_per_octave,
)

study = Study(
    dataset=Co2(horizon=13),
    compare={"depth": [1, 2, 3]},
    search={
        "units": four_per_octave(8, 64),
        "sequence_length": CategoricalDistribution([26, 52, 104]),
        "learning_rate": FloatDistribution(1e-3, 3e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.3),
    },
    fixed={"cell": "lstm", "batch_size": 32},
    budget=Budget(trials=12, epochs=30, trial_epochs=15),
    searches=3,
    replicates=2,
    patience=5,
    seed=0,
)
