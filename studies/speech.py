"""Does stacking LSTM layers pay in recognising spoken words in noise?

Depth 1 to 3 on twenty words, spoken by espeak-ng, in noise up to as loud as they are. Voices of the
test split were never heard in training. Published for phonemes of people (TIMIT, bidirectional
LSTM): 23.9 % errors with one layer, 18.6 % with three, 18.4 % with five (Graves, Mohamed and
Hinton, "Speech recognition with deep recurrent neural networks", ICASSP 2013). Four such studies of
five find a true difference of 7.5 points (depth 2) or 12.1 points (depth 3).
"""

from harness import Budget, FloatDistribution, Speech, Study, four_per_octave

study = Study(
    dataset=Speech(noise_db=0),
    compare={"depth": [1, 2, 3]},
    search={
        "units": four_per_octave(16, 64),
        "learning_rate": FloatDistribution(1e-3, 1e-2, log=True),
        "dropout": FloatDistribution(0.0, 0.5),
    },
    fixed={"cell": "lstm", "sequence_length": 49, "batch_size": 32},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=6, epochs=15),
    searches=3,
    replicates=2,
    patience=4,
    seed=0,
)
