"""A small study on JAX, by real workers, whose trainings are side by side, or alone.

    python -m tests.grouped_study RUNS beside|alone

The committed rule groups nothing on a CPU, so another one takes its place in this process. It is
the coordinator that decides about groups.
"""

import sys
from dataclasses import replace

import harness
from harness import Budget, FloatDistribution, Study
from harness.datasets import by_name
from harness.training import grouping


def main() -> None:
    runs, how = sys.argv[1:]
    if how == "beside":
        grouping.SIDE_BY_SIDE["cpu"] = {"words": {"gru": ((8, 2),)}}
    study = Study(
        dataset=replace(by_name("parity"), train=20_000, validation=200, test=200),
        compare={"depth": [1]},
        search={"learning_rate": FloatDistribution(1e-3, 1e-1, log=True)},
        fixed={"cell": "gru", "units": 4, "sequence_length": 12, "batch_size": 32,
               "embedding_dim": 4, "vocabulary": 10, "dropout": 0.1},
        sampler="random",
        pruner="median",
        backend="jax",
        path="xla-scan",
        budget=Budget(trials=4, epochs=5),
        searches=1,
        replicates=3,
        patience=2,
    )  # fmt: skip
    harness.run(study, name="grouped", runs=runs, profile=False, quiet=True)


if __name__ == "__main__":
    main()
