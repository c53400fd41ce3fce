"""Configurations of other studies and tools: tried first, or imported once, where they fit."""

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import IntDistribution
from session_testing import options, use_toy_pool
from typer.testing import CliRunner

from harness.commands import verbs
from harness.core.errors import UserError
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.study import session, warm_start

pytestmark = pytest.mark.usefixtures("no_charts")

STUDY = """
'''Does it run?'''
from harness import Budget, IntDistribution
from toys import SPACE, toy_study
study = toy_study({})
"""


@pytest.fixture(autouse=True)
def toy_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toy_pool(monkeypatch)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def study_file(folder: Path, name: str, declared: str = "") -> Path:
    file = folder / f"{name}.py"
    file.write_text(STUDY.format(declared))
    return file


def trials_of(folder: Path, name: str) -> Any:
    return read_records(folder / "runs" / name).trials


def test_the_best_of_another_study_come_first_and_once(ram_path: Path) -> None:
    first, second = study_file(ram_path, "first"), study_file(ram_path, "second", "seed=5")
    session.run(options(first))
    session.run(options(second, warm_start="first", trials=2))
    best = trials_of(ram_path, "first")
    for arm in ("depth=1", "depth=2"):
        ours = best[(best["arm"] == arm) & (best["state"] == "complete")].sort_values("value")
        theirs = trials_of(ram_path, "second")
        theirs = theirs[theirs["arm"] == arm].sort_values("trial")
        for name in ("units", "learning_rate", "sequence_length", "dropout"):
            assert list(theirs[f"params_{name}"]) == list(ours[f"params_{name}"].iloc[:2])
    session.run(options(second, warm_start="first", trials=5))
    theirs = trials_of(ram_path, "second")
    theirs = theirs[theirs["arm"] == "depth=1"].sort_values("trial")
    assert len(theirs) == 5  # the third configuration was beyond the budget then, and is not now
    rates = list(theirs["params_learning_rate"])
    assert len(set(rates)) == 5
    with pytest.raises(UserError, match='warm_start: "first" → absent'):
        session.run(options(second))
    manifest = json.loads((ram_path / "runs" / "second" / "manifest.json").read_text())
    assert "--warm-start first" in manifest["command"]


def test_what_lies_outside_is_left_to_the_sampler(ram_path: Path) -> None:
    first = study_file(ram_path, "first")
    narrow = study_file(ram_path, "narrow", "search={**SPACE, 'units': IntDistribution(100, 200)}")
    session.run(options(first))
    session.run(options(narrow, warm_start="first"))
    found = trials_of(ram_path, "narrow")
    assert (found["params_units"] >= 100).all()
    ours = trials_of(ram_path, "first")
    assert set(found["params_learning_rate"]) & set(ours["params_learning_rate"])
    other = study_file(
        ram_path, "other", "search={'batch_size': IntDistribution(8, 16)}, compare={'depth': [3]}"
    )
    with pytest.raises(UserError, match="none of its finished trials has values that this study"):
        session.run(options(other, warm_start="first"))
    with pytest.raises(UserError, match="did you mean first"):
        session.run(options(narrow, warm_start="firts", runs=ram_path / "runs", fresh=True))
    assert (ram_path / "runs" / "narrow" / "manifest.json").exists() or list(
        (ram_path / "runs").glob("narrow*")
    )


def test_a_process_killed_while_enqueueing_enqueues_the_rest(
    ram_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.run(options(study_file(ram_path, "first")))
    second = study_file(ram_path, "second")
    whole = study_file(ram_path, "whole")

    class Killed(BaseException):
        pass

    from harness.search.arm_search import ArmSearch

    enqueue = ArmSearch.enqueue

    def dies(self: ArmSearch, configurations: Any) -> None:
        enqueue(self, configurations[:1])
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(ArmSearch, "enqueue", dies)
        with pytest.raises(Killed):
            session.run(options(second, warm_start="first"))
    session.run(options(second, warm_start="first"))
    session.run(options(whole, warm_start="first"))
    for column in ("arm", "trial", "params_learning_rate", "params_units"):
        one, other = (trials_of(ram_path, name).sort_values(["arm", "trial"])
                      for name in ("second", "whole"))  # fmt: skip
        assert list(one[column]) == list(other[column])


def import_into(folder: Path, *arguments: str) -> Any:
    options = [*arguments, "--runs", str(folder / "runs")]
    return CliRunner().invoke(verbs.app, ["import", *options], standalone_mode=False)


def optuna_database(file: Path, depth: int = 2) -> None:
    """Ten trials of somebody's own study, as they may have written it."""

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_int("depth", 1, depth)
        units = trial.suggest_int("units", 4, 80)
        trial.suggest_categorical("sequence_length", [50, 100, 200])
        trial.suggest_float("learning_rate", 3e-4, 3e-2, log=True)
        trial.suggest_float("dropout", 0.0, 0.5)
        trial.report(1.0, 1)
        trial.report(units / 100, 2)
        return units / 100

    study = optuna.create_study(
        storage=f"sqlite:///{file}", study_name="theirs",
        sampler=optuna.samplers.RandomSampler(seed=1),
    )  # fmt: skip
    study.optimize(objective, n_trials=10)


def test_an_optuna_database_is_imported_once_and_the_search_continues(ram_path: Path) -> None:
    file, database = study_file(ram_path, "mine"), ram_path / "theirs.db"
    optuna_database(database)
    done = import_into(ram_path, str(file), str(database))
    assert done.exception is None
    assert "of 10 trials are now in" in done.stdout
    found = trials_of(ram_path, "mine")
    assert 0 < len(found) < 10  # those of more than 64 units are left out
    assert "left out, the first because units" in done.stdout
    assert (found["state"] == "complete").all()
    theirs = optuna.load_study(study_name="theirs", storage=f"sqlite:///{database}").trials
    assert set(found["value"]) <= {trial.value for trial in theirs}
    again = import_into(ram_path, str(file), str(database))
    assert again.stdout.startswith("0 of 10 trials")
    assert f"{len(found)} had been taken before" in again.stdout
    assert session.run(options(file)) == 0
    every = trials_of(ram_path, "mine")
    assert (every.groupby("arm").size() >= 6).all()
    assert len(every[every["seed"].isna()]) == len(found)  # those trained here have seeds
    assert RunDirectory(ram_path / "runs" / "mine").report.is_file()


def test_a_loss_that_is_not_finite_does_not_come_in(ram_path: Path) -> None:
    from toys import SPACE

    params = {"units": 8, "sequence_length": 50, "learning_rate": 1e-3, "dropout": 0.1}
    study = optuna.create_study(storage=f"sqlite:///{ram_path / 'theirs.db'}", study_name="theirs")
    for value in (float("-inf"), float("inf"), 0.4):
        study.add_trial(
            optuna.trial.create_trial(
                value=value,
                params={**params, "depth": 1},
                distributions={**SPACE, "depth": IntDistribution(1, 2)},
                intermediate_values={1: value, 2: float("nan"), 3: 0.5},
            )
        )
    done = import_into(ram_path, str(study_file(ram_path, "mine")), str(ram_path / "theirs.db"))
    assert done.stdout.startswith("1 of 1 trials are now in")
    assert list(trials_of(ram_path, "mine")["value"]) == [0.4]
    epochs = read_records(ram_path / "runs" / "mine").epochs
    assert dict(zip(epochs["epoch"], epochs["val_loss"], strict=True)) == {1: 0.4, 3: 0.5}


@pytest.mark.filterwarnings("ignore:.* is deprecated, :DeprecationWarning")
def test_a_keras_tuner_project_comes_in(ram_path: Path) -> None:
    import keras_tuner as kt

    hps = kt.HyperParameters()
    hps.Choice("depth", [1, 2])
    hps.Int("units", 4, 64, sampling="log")
    hps.Choice("sequence_length", [50, 100, 200])
    hps.Float("learning_rate", 3e-4, 3e-2, sampling="log")
    hps.Float("dropout", 0.0, 0.5)
    oracle = kt.oracles.RandomSearchOracle(
        objective=kt.Objective("val_loss", "min"), max_trials=6, hyperparameters=hps, seed=3
    )
    oracle._set_project_dir(str(ram_path), "project")
    values = []
    for number in range(6):
        trial = oracle.create_trial("tuner")
        oracle.update_trial(trial.trial_id, {"val_loss": 0.5 + number / 10, "val_accuracy": 0.6})
        trial.status = "INVALID" if number == 5 else "COMPLETED"
        values.append(trial.hyperparameters.values)
        oracle.end_trial(trial)
    oracle.save()
    file = study_file(ram_path, "mine")
    done = import_into(ram_path, str(file), str(ram_path / "project"))
    assert done.stdout.startswith("5 of 5 trials are now in")
    found = trials_of(ram_path, "mine")
    assert sorted(found["value"]) == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9])
    assert set(found["val_accuracy"]) == {0.6}
    assert set(found["params_units"]) == {each["units"] for each in values[:5]}


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("nothing.db", "nothing.db: no such file or directory"),
        (".", "no oracle.json in it"),
        ("text.db", "not an Optuna database that can be read"),
        ("two.db", "holds these studies: a, b; name one with --study"),
        ("max.db", "does not minimise one value"),
        ("empty.db", "holds no finished trial"),
        ("deep.db", "none of its 10 trials fits the study: (no arm has its depth|units)"),
    ],
)
def test_what_cannot_come_in_is_named(ram_path: Path, source: str, complaint: str) -> None:
    def new(name: str, study: str, **more: Any) -> None:
        optuna.create_study(storage=f"sqlite:///{ram_path / name}", study_name=study, **more)

    new("two.db", "a")
    new("two.db", "b")
    new("max.db", "a", direction="maximize")
    new("empty.db", "a")
    (ram_path / "text.db").write_text("no database")
    if source == "deep.db":
        optuna_database(ram_path / "deep.db")
    file = study_file(ram_path, "mine", "compare={'depth': [7, 8]}")
    done = import_into(ram_path, str(file), str(ram_path / source))
    assert isinstance(done.exception, UserError)
    import re

    assert re.search(complaint, str(done.exception))
    assert "\n" not in str(done.exception)


def test_fitting_is_by_value(ram_path: Path) -> None:
    from toys import SPACE

    values = {"units": 8, "sequence_length": 60, "learning_rate": 1e-3}
    assert warm_start.within(SPACE, values) == {"units": 8, "learning_rate": 1e-3}
