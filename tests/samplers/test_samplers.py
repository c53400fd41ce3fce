"""Tests of every sampler: reproducible by seed, in bounds, different from trial to trial."""

import optuna
import pytest
from toys import SPACE

from harness import samplers
from harness.core.errors import UserError
from harness.samplers.grid import cells_of


def _available(name: str) -> str:
    try:
        samplers.check(name, SPACE, trials=8)
    except UserError as error:
        pytest.skip(str(error))
    return name


NAMES = [
    pytest.param(name, marks=pytest.mark.torch) if name == "gp" else name
    for name in samplers.names()
]


@pytest.mark.parametrize("name", NAMES)
def test_suggestions_are_in_bounds_seeded_and_vary(name: str) -> None:
    _available(name)

    def search(seed: int) -> list[dict[str, object]]:
        study = optuna.create_study()
        for number in range(8):
            study.sampler = samplers.make(
                name, SPACE, seed=seed * 1000 + number, arm_seed=seed, epochs=5
            )
            trial = study.ask(dict(SPACE))
            study.tell(trial, trial.params["dropout"] + trial.params["units"])
        return [trial.params for trial in study.trials]

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    first = search(0)
    for params in first:
        for parameter, distribution in SPACE.items():
            assert distribution._contains(distribution.to_internal_repr(params[parameter]))
    assert search(0) == first
    # KerasTuner's grid has one order, whatever the seed.
    assert search(1) != first or name == "kt-grid"
    assert len({str(params) for params in first}) > 4


def test_the_grid_covers_each_cell_once() -> None:
    space = {
        "units": optuna.distributions.IntDistribution(4, 64, log=True),
        "dropout": optuna.distributions.FloatDistribution(0.0, 0.5, step=0.25),
        "bidirectional": optuna.distributions.CategoricalDistribution([True, False]),
    }
    cells = cells_of(space)
    assert cells == {
        "units": [4, 8, 16, 32, 64],
        "dropout": [0.0, 0.25, 0.5],
        "bidirectional": [True, False],
    }
    study = optuna.create_study()
    seen = set()
    for number in range(30):
        study.sampler = samplers.make("grid", space, seed=number, arm_seed=7, epochs=5)
        trial = study.ask(space)
        seen.add(tuple(trial.params.values()))
        study.tell(trial, 0.0)
    assert len(seen) == 30
