"""Does mixed precision cost accuracy, and what does a step take with it?

python -m harness.study tests/benchmarks/mixed_precision.py --device gpu --backend jax
"""

from harness import Budget, Mnist1d, Study

study = Study(
    dataset=Mnist1d(),
    compare={"precision": ["float32", "mixed_bfloat16"]},
    fixed={"cell": "gru", "depth": 2, "units": 128, "sequence_length": 40, "learning_rate": 3e-3,
           "batch_size": 64},
    pruner="none",
    budget=Budget(trials=1, epochs=10),
    replicates=5,
    patience=None,
)  # fmt: skip
