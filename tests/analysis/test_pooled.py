"""The random-effects summary: a published example, and intervals that hold what they promise."""

import numpy as np
import pytest

from harness.analysis.pooled import pool


def test_a_published_example() -> None:
    """Thirteen trials of BCG vaccination: log risk ratios and variances, as in metafor's `dat.bcg`.

    metafor gives, with `rma(yi, vi, method="PM", test="knha")`: estimate -0.7150, tau² 0.3181,
    I² 92.2 %.
    """
    effects = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694,
               -1.3713, -0.3394, 0.4459, -0.0173]  # fmt: skip
    variances = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564, 0.0730,
                 0.0124, 0.5325, 0.0714]  # fmt: skip
    found = pool(effects, np.sqrt(variances).tolist())
    assert found is not None
    assert found.mean == pytest.approx(-0.715, abs=0.002)
    assert found.tau**2 == pytest.approx(0.318, abs=0.005)
    assert found.i2 > 0.9
    assert found.prediction.low < found.interval.low < found.mean < found.interval.high
    assert found.prediction.high > 0 > found.interval.high


def test_effects_that_agree_show_no_differences_between_tasks() -> None:
    found = pool([0.1, 0.1, 0.1], [1e-9, 1e-9, 1e-9])
    assert found is not None
    assert found.i2 == found.tau == 0.0


def test_too_few_effects_say_nothing_about_tasks() -> None:
    assert pool([0.1, 0.2], [0.1, 0.1]) is None


@pytest.mark.parametrize("tau", [0.0, 0.02])
def test_intervals_hold_the_truth(tau: float) -> None:
    """Eight tasks with a mean effect of 0.01: 95 % of intervals hold it, or the next effect."""
    rng, runs = np.random.default_rng(3), 400
    means = nexts = 0
    for _ in range(runs):
        errors = rng.uniform(0.005, 0.02, 8)
        found = pool(rng.normal(rng.normal(0.01, tau, 8), errors).tolist(), errors.tolist())
        assert found is not None
        means += found.interval.low <= 0.01 <= found.interval.high
        nexts += found.prediction.low <= rng.normal(0.01, tau) <= found.prediction.high
    assert means / runs >= 0.92
    assert nexts / runs >= 0.87  # known to be short of 95 % where tau is estimated from few tasks
