"""Does a deeper encoder or a deeper decoder translate better?

LSTM layers, one to three in the encoder and one or two in the decoder, translate numbers from
English words to French ones. Numbers that are scored were never seen in training; an answer is
right if all of its words are. Published for English to German, by depth of the encoder (2, 4 and
8): 21.8, 21.9 and 21.3 BLEU; of the decoder (1, 2 and 4): 21.8, 21.8 and 22.4 (Britz, Goldie, Luong
and Le, "Massive exploration of neural machine translation architectures", EMNLP 2017). Deeper
networks learn this task later. Four such studies of five find a true difference of 0.9 points
between one encoder layer and two, with one decoder layer; other networks differ too much from
search to search (58 points and more).
"""

from harness import Budget, FloatDistribution, Study, Translation, four_per_octave

study = Study(
    dataset=Translation(train=4_000, validation=1_000, test=2_000),
    compare={"depth": [1, 2, 3], "decoder_depth": [1, 2]},
    search={
        "units": four_per_octave(32, 64),
        "learning_rate": FloatDistribution(2e-3, 2e-2, log=True),
    },
    fixed={"cell": "lstm", "sequence_length": 26, "batch_size": 32, "embedding_dim": 16,
           "vocabulary": 61},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=4, epochs=20),
    searches=3,
    replicates=2,
    patience=5,
    seed=0,
)  # fmt: skip
