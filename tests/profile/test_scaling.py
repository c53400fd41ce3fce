"""Exponents and estimates from profiles that follow a known law."""

import itertools
import random
from dataclasses import replace
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from profile_testing import configuration, figures

from harness import Budget, Imdb, Study
from harness.datasets.base.signature import BINARY
from harness.profile import estimate, scaling
from harness.profile.entries import entry
from harness.spec import counts
from harness.spec.hyperparameters import Hyperparameters


def entries(law: Any) -> list[dict[str, Any]]:
    return [
        entry(c, [figures([law(c.hyperparameters)])])
        for c in (
            configuration(depth=d, units=u, sequence_length=n)
            for d, u, n in itertools.product((1, 2, 4), (8, 32), (50, 100, 200))
        )
    ]


def test_the_exponents_of_a_power_law_are_found() -> None:
    noise = random.Random(1)

    def law(hp: Hyperparameters) -> float:
        assert isinstance(hp.units, int)
        return 0.01 * hp.depth * hp.units**0.5 * hp.sequence_length * noise.uniform(0.98, 1.02)

    (fit,) = scaling.fits(entries(law))
    assert list(fit.exponents) == ["depth", "units", "sequence_length"]
    for axis, true in (("depth", 1.0), ("units", 0.5), ("sequence_length", 1.0)):
        found = fit.exponents[axis]
        assert found.low is not None
        assert found.high is not None
        assert found.value == pytest.approx(true, abs=0.03)
        assert found.low < found.value < found.high
        assert found.high - found.low < 0.1
    assert fit.error is not None
    assert fit.error < 0.03


def test_too_few_configurations_give_no_interval_or_no_fit() -> None:
    def of(*shapes: tuple[int, int]) -> list[scaling.Fit]:
        configurations = [configuration(depth=d, sequence_length=n) for d, n in shapes]
        return scaling.fits([entry(c, [figures()]) for c in configurations])

    (fit,) = of((1, 100), (2, 100))
    assert fit.exponents["depth"].low is None
    assert fit.error is None
    assert of((1, 100)) == []
    assert of((1, 100), (2, 200)) == []  # depth and length change together


def test_step_time_is_told_beyond_what_was_measured() -> None:
    def law(hp: Hyperparameters) -> float:
        return (
            0.2
            + 0.004 * counts.recurrence_iterations(hp)
            + (2e-8 * counts.flops_per_step(hp, BINARY))
        )

    step_ms = estimate.StepTime(entries(law), "tensorflow", "cpu")
    for hp in (Hyperparameters(depth=8, units=16), Hyperparameters(units=128, sequence_length=400)):
        assert step_ms(hp, BINARY) == pytest.approx(law(hp), rel=0.02)
    assert not estimate.StepTime(entries(law), "jax", "cpu")


STUDY = Study(
    dataset=Imdb(train=3200, validation=320, test=320),
    compare={"depth": [1, 2]},
    search={"units": IntDistribution(8, 32, log=True)},
    fixed={"sequence_length": 100},
    budget=Budget(trials=10, epochs=5),
    searches=1,
    replicates=2,
)


def test_an_estimate_is_steps_times_their_time() -> None:
    profile = {"entries": entries(lambda hp: 10.0)}
    found = estimate.estimate(STUDY, profile, workers=1)
    assert found is not None
    # A step takes 10 ms, a batch of validation 3 ms, compiling and building 3.2 s, importing 5 s.
    trial_s = 3.2 + 5 * (100 * 0.010 + 10 * 0.003)
    assert found.search_s == pytest.approx(5 + 20 * trial_s, rel=0.01)
    assert found.replicates_s == pytest.approx(4 * trial_s, rel=0.01)
    two = estimate.estimate(STUDY, profile, workers=2)
    assert two is not None
    assert two.search_s == pytest.approx(5 + 10 * trial_s, rel=0.01)
    thrice = estimate.estimate(replace(STUDY, searches=3), profile, workers=1)
    assert thrice is not None
    assert thrice.search_s == pytest.approx(5 + 3 * 20 * trial_s, rel=0.01)
    assert thrice.replicates_s == pytest.approx(3 * 4 * trial_s, rel=0.01)
    assert estimate.estimate(replace(STUDY, backend="jax"), profile, workers=1) is None


@pytest.mark.parametrize(
    "distribution",
    [
        IntDistribution(4, 64, log=True),
        IntDistribution(2, 10, step=4),
        FloatDistribution(3e-4, 3e-2, log=True),
        FloatDistribution(0.0, 0.5),
        CategoricalDistribution([50, 100, 200]),
    ],
)
def test_draws_lie_in_their_distribution(distribution: Any) -> None:
    rng = random.Random(0)
    drawn = [estimate.draw(rng, distribution) for _ in range(300)]
    for value in drawn:
        # As in Optuna: 6 is one of (2, 6, 10), but 5 is not.
        assert distribution._contains(distribution.to_internal_repr(value))
    assert len(set(drawn)) > 2
