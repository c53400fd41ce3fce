"""The quasi-random design is even, and the same in every arm."""

from collections import Counter

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from harness import samplers
from harness.samplers.qmc import value_at

SPACE = {
    "units": IntDistribution(4, 64, log=True),
    "sequence_length": CategoricalDistribution([50, 100, 200]),
    "dropout": FloatDistribution(0.0, 0.5),
}


def design(trials: int, *, arm_seed: int = 3, told: float = 0.0) -> list[dict[str, object]]:
    study = optuna.create_study()
    for number in range(trials):
        study.sampler = samplers.make("qmc", SPACE, seed=number, arm_seed=arm_seed, epochs=5)
        trial = study.ask(dict(SPACE))
        study.tell(trial, told * number)
    return [trial.params for trial in study.trials]


def test_few_trials_cover_every_choice_and_both_halves_of_every_range() -> None:
    for seed in range(20):
        found = design(12, arm_seed=seed)
        lengths = Counter(each["sequence_length"] for each in found)
        assert set(lengths) == {50, 100, 200}
        assert min(lengths.values()) >= 2
        below = sum(float(str(each["dropout"])) < 0.25 for each in found)
        assert 4 <= below <= 8


def test_the_same_seed_gives_every_arm_the_same_whatever_it_found() -> None:
    assert design(8) == design(8, told=1.0)
    assert design(8) != design(8, arm_seed=4)
    assert design(12)[:8] == design(8)


@pytest.mark.parametrize(
    ("distribution", "u", "value"),
    [
        (IntDistribution(1, 4), 0.0, 1),
        (IntDistribution(1, 4), 0.999, 4),
        (IntDistribution(1, 4), 0.26, 2),
        (IntDistribution(2, 8, step=2), 0.5, 6),
        (IntDistribution(4, 64, log=True), 0.999, 64),
        (FloatDistribution(0.0, 1.0, step=0.25), 0.05, 0.0),
        (FloatDistribution(0.0, 1.0, step=0.25), 0.999, 1.0),
        (FloatDistribution(1e-4, 1e-2, log=True), 0.5, 1e-3),
        (CategoricalDistribution(["a", "b"]), 0.5, "b"),
    ],
)
def test_values_have_their_share_of_the_range(
    distribution: optuna.distributions.BaseDistribution, u: float, value: object
) -> None:
    found = value_at(distribution, u)
    assert found == (pytest.approx(value) if isinstance(value, float) else value)
    assert type(found) is type(value)
