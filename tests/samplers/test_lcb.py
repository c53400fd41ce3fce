"""The lower confidence bound: where it begins, what it learns from, and that it finds."""

import math

import numpy as np
import optuna
import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState

from harness import samplers
from harness.samplers.lcb import STARTUP_TRIALS, encoded, lower_bound

SPACE: dict[str, BaseDistribution] = {
    "units": IntDistribution(4, 64, log=True),
    "sequence_length": CategoricalDistribution([50, 100, 200]),
    "learning_rate": FloatDistribution(3e-4, 3e-2, log=True),
    "dropout": FloatDistribution(0.0, 0.5),
}


def loss(params: dict[str, float], noise: float) -> float:
    """Lowest at a learning rate of 1e-3, 32 units and long sequences."""
    distance = abs(math.log10(params["learning_rate"]) + 3)
    units = abs(math.log2(params["units"]) - 5)
    short = params["sequence_length"] < 200
    return math.exp(-1.0 + 0.5 * distance**2 + 0.3 * short + 0.03 * units**2 + noise)


def search(sampler: str, seed: int, trials: int = 16) -> optuna.Study:
    study = optuna.create_study()
    random = np.random.default_rng(seed)
    for number in range(trials):
        study.sampler = samplers.make(
            sampler, SPACE, seed=1_000 * seed + number, arm_seed=seed, epochs=3
        )
        trial = study.ask(dict(SPACE))
        study.tell(trial, loss(trial.params, random.normal(0, 0.15)))
    return study


def test_it_begins_as_the_design_and_repeats_itself() -> None:
    first, again, design = (
        [trial.params for trial in search(name, 1).trials] for name in ("lcb", "lcb", "qmc")
    )
    assert first == again
    assert first[:STARTUP_TRIALS] == design[:STARTUP_TRIALS]
    assert first[STARTUP_TRIALS:] != design[STARTUP_TRIALS:]


def test_later_trials_are_better_than_those_of_a_design() -> None:
    """By what they are worth without noise."""
    late = {
        name: np.mean(
            [
                loss(trial.params, 0.0)
                for seed in range(12)
                for trial in search(name, seed).trials[STARTUP_TRIALS:]
            ]
        )
        for name in ("lcb", "qmc")
    }
    assert late["lcb"] < 0.9 * late["qmc"]


def test_failed_and_pruned_trials_teach_it_too() -> None:
    study = optuna.create_study()
    for number in range(20):
        study.sampler = samplers.make("lcb", SPACE, seed=number, arm_seed=5, epochs=3)
        trial = study.ask(dict(SPACE))
        if trial.params["learning_rate"] > 3e-3:
            study.tell(trial, state=TrialState.FAIL)
        elif number % 2:
            trial.report(0.5, 1)
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, 0.4)
    late = [trial.params["learning_rate"] < 3e-3 for trial in study.trials[STARTUP_TRIALS:]]
    assert np.mean(late) > 0.7  # half of the range by chance


def test_nothing_but_failures_is_a_design() -> None:
    study = optuna.create_study()
    for number in range(10):
        study.sampler = samplers.make("lcb", SPACE, seed=number, arm_seed=5, epochs=3)
        study.tell(study.ask(dict(SPACE)), state=TrialState.FAIL)
    rates = [trial.params["learning_rate"] for trial in study.trials]
    assert len(set(rates)) == 10


@pytest.mark.parametrize(
    ("distribution", "value", "coordinates"),
    [
        (FloatDistribution(1e-4, 1e-2, log=True), 1e-3, [0.5]),
        (FloatDistribution(0.0, 0.5), 0.125, [0.25]),
        (IntDistribution(4, 64, log=True), 16, [0.5]),
        (IntDistribution(3, 3), 3, [0.0]),
        (CategoricalDistribution([200, 50, 100]), 100, [0.5]),
        (CategoricalDistribution([7]), 7, [0.0]),
        (CategoricalDistribution(["gru", "lstm"]), "lstm", [0.0, math.sqrt(0.5)]),
        (CategoricalDistribution([True, False]), True, [math.sqrt(0.5), 0.0]),
    ],
)
def test_values_are_coordinates(
    distribution: BaseDistribution, value: object, coordinates: list[float]
) -> None:
    assert encoded(distribution, value) == pytest.approx(coordinates)


def test_losses_may_be_equal_zero_or_negative() -> None:
    x = np.linspace(0, 1, 6)[:, None]
    for losses in (np.full(6, 0.3), np.zeros(6), np.linspace(-1, 1, 6)):
        assert np.isfinite(lower_bound(x, losses, x)).all()
    # Where nothing was tried, the bound is lower than at the mean of what was.
    far = lower_bound(x[:3], np.array([0.3, 0.31, 0.3]), np.array([[0.2], [1.0]]))
    assert far[1] < far[0]
