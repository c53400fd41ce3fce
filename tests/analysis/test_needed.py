"""How many test examples a verdict would need, where no number of replicates is enough."""

import math

import numpy as np
import pytest

from harness.analysis.needed import REPLICATES, examples_needed
from harness.analysis.statistics import Comparison, MeanEstimate, over_seeds_and_examples

MARGIN = 0.005


def compared(mean: float, *, seeds: float, rest: float) -> Comparison:
    """A difference over three seeds; the variances are those of one seed and of the examples."""
    error = math.sqrt(seeds / 3 + rest)
    estimate = MeanEstimate(mean, error, 5.0, seeds=3, seed_variance=seeds, rest=rest)
    return Comparison(estimate, p=0.5, alpha=0.05, effect=None, margin=MARGIN)


def test_so_many_examples_settle_it_and_fewer_do_not() -> None:
    found = compared(0.002, seeds=1e-4, rest=1e-4)
    times = examples_needed(found)
    assert found.replicates_needed is None
    assert times is not None

    def width(factor: float) -> float:
        """Of nearly a normal distribution: the share of the seeds, with 99 degrees, is small."""
        return 1.96 * math.sqrt(1e-4 / REPLICATES + 1e-4 / factor)

    # The upper end of the interval must fit into the margin: 0.002 + width = 0.005.
    assert width(times) == pytest.approx(0.003, rel=0.02)


def test_what_is_so_with_all_examples_is_once_as_many() -> None:
    assert examples_needed(compared(0.02, seeds=1e-4, rest=1e-6)) == 1.0


def test_seeds_that_vary_too_much_are_not_made_up_for_by_examples() -> None:
    assert examples_needed(compared(0.0025, seeds=0.1, rest=1e-6)) is None


def test_real_scores_of_few_examples() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.normal(0.01, 0.5, (1, 50)) + rng.normal(0, 0.01, (5, 50))
    estimate = over_seeds_and_examples(matrix)
    found = Comparison(estimate, p=0.5, alpha=0.05, effect=None, margin=MARGIN)
    times = examples_needed(found)
    assert times is not None
    assert times > 1.0
