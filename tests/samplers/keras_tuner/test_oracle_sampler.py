"""KerasTuner's oracles as samplers suggest the same as in KerasTuner, even after a kill."""

import os
from collections.abc import Iterator
from typing import Any

import optuna
import pytest
from toys import SPACE

from harness import samplers
from harness.core.errors import UserError
from harness.samplers.keras_tuner import oracle_process, oracle_sampler

Params = dict[str, Any]

# KerasTuner calls methods of threads that Python renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated, :DeprecationWarning")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    yield
    optuna.logging.set_verbosity(optuna.logging.INFO)


def grow(study: optuna.Study, name: str, space: Any, number: int, *, states: str = "") -> None:
    """Add trials to a study; `states` says how each ends, by letter: Complete, Pruned, Failed."""
    for _ in range(number):
        done = len(study.trials)
        study.sampler = samplers.make(name, space, seed=done, arm_seed=7, epochs=9)
        trial = study.ask(dict(space))
        end = (states or "c" * 99)[done]
        if end == "c":
            study.tell(trial, sum(each for each in trial.params.values() if each != "x"))
        else:
            ends = {"p": optuna.trial.TrialState.PRUNED, "f": optuna.trial.TrialState.FAIL}
            study.tell(trial, state=ends[end])


def params(study: optuna.Study) -> list[Params]:
    return [trial.params for trial in study.trials]


@pytest.mark.parametrize("states", ["cccccccc", "cpfcpfcc"])
@pytest.mark.parametrize("name", ["kt-random", "kt-bayesian", "kt-grid", "kt-hyperband"])
def test_a_killed_process_changes_nothing(name: str, states: str) -> None:
    whole, broken = optuna.create_study(), optuna.create_study()
    grow(whole, name, SPACE, 8, states=states)
    grow(broken, name, SPACE, 5, states=states)
    assert oracle_sampler._child is not None
    oracle_sampler._child.kill()
    oracle_sampler._child.wait()
    grow(broken, name, SPACE, 3, states=states)
    assert params(whole) == params(broken)
    assert [t.system_attrs for t in whole.trials] == [t.system_attrs for t in broken.trials]
    # Hyperband trains its best again.
    assert len({str(each) for each in params(whole)}) == 8 or name == "kt-hyperband"


def test_hyperband_gives_epochs_and_trains_the_best_again() -> None:
    study = optuna.create_study()
    grow(study, "kt-hyperband", SPACE, 16)
    epochs = [trial.system_attrs[samplers.EPOCHS] for trial in study.trials]
    # Nine epochs, factor three: many trainings of one epoch, a third of them of three, then nine.
    assert set(epochs) == {1, 3, 9}
    assert epochs[0] == 1
    first = [t for t, n in zip(study.trials, epochs, strict=True) if n == 1]
    (best,) = [t.params for t in first if t.value == min(each.value for each in first)][:1]
    promoted = [t.params for t, n in zip(study.trials, epochs, strict=True) if n == 3]
    assert best in promoted


def test_suggestions_are_those_of_the_oracle_itself(tmp_path: Any) -> None:
    import keras_tuner as kt

    space = {
        "units": optuna.distributions.IntDistribution(2, 64),
        "rate": optuna.distributions.FloatDistribution(1e-3, 1e-1, log=True),
    }
    study = optuna.create_study()
    grow(study, "kt-bayesian", space, 7)
    hps = kt.HyperParameters()
    hps.Int("units", 2, 64, step=1)
    hps.Float("rate", 1e-3, 1e-1, sampling="log")
    own = kt.oracles.BayesianOptimizationOracle(
        objective=kt.Objective("val_loss", "min"), max_trials=None, hyperparameters=hps,
        num_initial_points=oracle_process.N_INITIAL_POINTS, seed=8, max_retries_per_trial=0,
    )  # fmt: skip
    own._set_project_dir(str(tmp_path), "own")
    for trial in study.trials:
        asked = own.create_trial("tuner")
        values = asked.hyperparameters.values
        assert trial.params["units"] == values["units"]
        assert trial.params["rate"] == pytest.approx(values["rate"], rel=1e-12)
        own.update_trial(asked.trial_id, {"val_loss": trial.value})
        asked.status = "COMPLETED"
        own.end_trial(asked)


def test_seed_0_is_a_seed() -> None:
    first, again = optuna.create_study(), optuna.create_study()
    for study in (first, again):
        for _ in range(3):
            study.sampler = samplers.make("kt-random", SPACE, seed=0, arm_seed=0, epochs=9)
            study.tell(study.ask(dict(SPACE)), 1.0)
    assert params(first) == params(again)


def test_a_space_that_is_used_up_is_told_in_one_line() -> None:
    space = {"units": optuna.distributions.CategoricalDistribution([1, 2, 3])}
    study = optuna.create_study()
    grow(study, "kt-grid", space, 3)
    assert sorted(each["units"] for each in params(study)) == [1, 2, 3]
    with pytest.raises(UserError, match="--trials 3"):
        grow(study, "kt-grid", space, 1)


def test_choices_of_any_type() -> None:
    choices = [None, "x", 2, True]
    space = {"units": optuna.distributions.CategoricalDistribution(choices)}
    study = optuna.create_study()
    for _ in range(4):
        study.sampler = samplers.make("kt-grid", space, seed=0, arm_seed=7, epochs=9)
        study.tell(study.ask(dict(space)), 1.0)
    assert {str(each["units"]) for each in params(study)} == {str(each) for each in choices}


@pytest.mark.jax
def test_with_jax_installed_the_process_apart_has_no_tensorflow() -> None:
    pytest.importorskip("jax", reason="no JAX (pip install jax)")
    grow(optuna.create_study(), "kt-random", SPACE, 1)
    assert oracle_sampler._child is not None
    with open(f"/proc/{oracle_sampler._child.pid}/maps") as file:
        assert "libtensorflow" not in file.read()


def test_ctrl_c_is_not_for_the_process_apart() -> None:
    grow(optuna.create_study(), "kt-random", SPACE, 1)
    assert oracle_sampler._child is not None
    assert os.getpgid(oracle_sampler._child.pid) != os.getpgid(0)
