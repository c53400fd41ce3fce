"""Does a network need as many layers as the network that it learns from?

Random teacher networks of one, two and four layers give each sequence of symbols one of two
classes. Students of one to four SimpleRNN layers, the same kind as the teachers, learn the classes
from examples. Four such studies of five find true differences of 1.4 to 4.0 points.
"""

from harness import Budget, FloatDistribution, Study, Teacher, four_per_octave

study = Study(
    dataset=Teacher(train=10_000, validation=2_000, test=5_000),
    compare={"depth": [1, 2, 3, 4], "teacher_depth": [1, 2, 4]},
    search={
        "units": four_per_octave(8, 64),
        "learning_rate": FloatDistribution(3e-4, 1e-2, log=True),
    },
    fixed={"cell": "rnn", "sequence_length": 21, "batch_size": 32, "embedding_dim": 16,
           "vocabulary": 12},
    sampler="tpe",
    pruner="median",
    budget=Budget(trials=6, epochs=15),
    searches=3,
    replicates=2,
    patience=4,
    seed=0,
)  # fmt: skip
