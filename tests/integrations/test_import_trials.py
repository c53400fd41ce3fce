"""Trials of other tools: taken once, where they fit; their files stay as they are, to the byte."""

import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.distributions import IntDistribution
from session_testing import options, study_file, trials_of, use_toy_pool
from typer.testing import CliRunner

from harness.commands import verbs
from harness.core.errors import UserError
from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.study import session

pytestmark = pytest.mark.usefixtures("no_sections")


@pytest.fixture(autouse=True)
def toy_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toy_pool(monkeypatch)
    optuna.logging.set_verbosity(optuna.logging.ERROR)


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
    assert re.search(complaint, str(done.exception))
    assert "\n" not in str(done.exception)


VALUES = {"depth": 2, "units": 8, "sequence_length": 50, "learning_rate": 1e-3, "dropout": 0.1}


def database_of(file: Path, *trials: dict[str, Any], study: str = "theirs") -> Path:
    """An Optuna database with complete trials of these hyperparameters."""
    theirs = optuna.create_study(storage=f"sqlite:///{file}", study_name=study)
    choices = {name: list(dict.fromkeys(each[name] for each in trials if name in each))
               for name in {name for each in trials for name in each}}  # fmt: skip
    for number, params in enumerate(trials):
        theirs.add_trial(
            optuna.trial.create_trial(
                value=0.5 + number / 100,
                params=params,
                distributions={
                    name: optuna.distributions.CategoricalDistribution(choices[name])
                    for name in params
                },
                intermediate_values={1: 0.5 + number / 100},
            )
        )
    return file


def project_of(root: Path, *trials: dict[str, Any]) -> Path:
    """A KerasTuner project with completed trials of these hyperparameters."""
    root.mkdir()
    (root / "oracle.json").write_text("{}")
    for number, values in enumerate(trials):
        trial = {
            "trial_id": f"{number:02d}",
            "status": "COMPLETED",
            "hyperparameters": {"values": values},
            "metrics": {"metrics": {"val_loss": {"observations": [{"value": [0.5], "step": 0}]}}},
        }
        folder = root / f"trial_{number:02d}"
        folder.mkdir()
        (folder / "trial.json").write_text(json.dumps(trial))
    return root


def contents(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


@pytest.mark.parametrize("write", [database_of, project_of])
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"cell": "gru"}, "its cell is 'gru', not 'lstm'"),
        ({"vocabulary": 500}, "its vocabulary is 500, not 100"),
        ({"optimizer": "rmsprop"}, "its optimizer is 'rmsprop', not 'adam'"),
        ({"bidirectional": True}, "its bidirectional is True, not False"),
        ({"embedding_dim": 16}, "its embedding_dim is 16, not 32"),
        ({"train": 65}, "its train is 65, not 64"),
        ({"sequence_length": 60}, "sequence_length 60 is outside of"),
        ({"units": 8.5}, "units 8.5 is outside of"),
        ({"units": True}, "units True is outside of"),
        ({"units": "8"}, "units '8' is outside of"),
        ({"dropout": 0.6}, "dropout 0.6 is outside of"),
        ({"depth": 3}, "no arm has its depth 3"),
        ({"depth": True}, "no arm has its depth True"),
    ],
)
def test_a_trial_of_something_else_is_left_out_with_the_reason(
    ram_path: Path, write: Callable[..., Path], changed: dict[str, Any], reason: str
) -> None:
    source = write(ram_path / "theirs", VALUES, {**VALUES, **changed})
    done = import_into(ram_path, str(study_file(ram_path, "mine")), str(source))
    assert done.exception is None
    assert done.stdout.startswith("1 of 2 trials are now in")
    assert f"1 left out, the first because {reason}" in done.stdout
    assert list(trials_of(ram_path, "mine")["value"]) == [0.5]


@pytest.mark.parametrize("write", [database_of, project_of])
@pytest.mark.parametrize(
    "same",
    [
        {"units": 8.0},
        {"depth": 2.0},
        {"sequence_length": 50.0},
        {"sequence_length": "50"},
        {"dropout": 0},
        {"cell": "lstm", "vocabulary": 100.0, "bidirectional": 0, "embedding_dim": 32},
        {"train": 64},
    ],
)
def test_whole_numbers_booleans_and_texts_are_taken_for_what_they_mean(
    ram_path: Path, write: Callable[..., Path], same: dict[str, Any]
) -> None:
    source = write(ram_path / "theirs", {**VALUES, **same})
    done = import_into(ram_path, str(study_file(ram_path, "mine")), str(source))
    assert done.stdout.startswith("1 of 1 trials are now in")
    (trial,) = trials_of(ram_path, "mine").to_dict("records")
    assert (trial["arm"], trial["params_units"], trial["params_sequence_length"]) == (
        "depth=2", 8, 50,
    )  # fmt: skip


@pytest.mark.parametrize("write", [database_of, project_of])
@pytest.mark.parametrize("kind", ["compare", "search", "fixed"])
def test_booleans_as_kerastuner_keeps_them(
    ram_path: Path, write: Callable[..., Path], kind: str
) -> None:
    declared = {
        "compare": "compare={'bidirectional': [False, True]}",
        "search": "search={**SPACE, 'bidirectional': CategoricalDistribution([False, True])}",
        "fixed": "fixed={'bidirectional': True}",
    }[kind]
    rest = {name: value for name, value in VALUES.items() if name != "depth"}
    values = (1, True, "True") if kind == "fixed" else (0, 1, True, "False", 1.0)
    depth = {} if kind == "compare" else {"depth": 1}
    trials = [{**rest, **depth, "bidirectional": value} for value in values]
    done = import_into(
        ram_path, str(study_file(ram_path, "mine", declared)),
        str(write(ram_path / "theirs", *trials)),
    )  # fmt: skip
    assert done.stdout.startswith(f"{len(values)} of {len(values)} trials are now in")
    if kind == "search":
        found = trials_of(ram_path, "mine")["params_bidirectional"]
        assert sorted(map(bool, found)) == [False, False, True, True, True]


def test_units_of_each_layer_come_in(ram_path: Path) -> None:
    declared = (
        "compare={}, search={'units': CategoricalDistribution([(8, 4), [4, 8]]), "
        "'learning_rate': FloatDistribution(1e-4, 1e-1)}, fixed={'depth': 2}"
    )
    trials = [
        {"units": units, "learning_rate": 1e-3, "depth": 2}
        for units in ([8, 4], "(8, 4)", "[4, 8]", [8.0, 4.0])
    ]
    source = project_of(ram_path / "theirs", *trials)
    done = import_into(ram_path, str(study_file(ram_path, "mine", declared)), str(source))
    assert done.stdout.startswith("4 of 4 trials are now in")


@pytest.mark.parametrize("write", [database_of, project_of])
def test_a_source_that_was_moved_or_copied_is_the_same(
    ram_path: Path, write: Callable[..., Path]
) -> None:
    file = str(study_file(ram_path, "mine"))
    source = write(ram_path / "theirs", VALUES, {**VALUES, "units": 9})
    assert import_into(ram_path, file, str(source)).stdout.startswith("2 of 2 trials")
    moved = source.rename(ram_path / "moved")
    again = import_into(ram_path, file, str(moved))
    assert again.stdout.startswith("0 of 2 trials")
    assert "2 had been taken before" in again.stdout
    assert len(trials_of(ram_path, "mine")) == 2


def test_what_an_older_version_imported_is_known_by_its_place(ram_path: Path) -> None:
    file = str(study_file(ram_path, "mine"))
    source = database_of(ram_path / "theirs.db", VALUES)
    import_into(ram_path, file, str(source))
    with sqlite3.connect(ram_path / "runs" / "mine" / "study.db") as connection:
        connection.execute(
            "UPDATE trial_user_attributes SET value_json = ? WHERE key = 'imported'",
            [json.dumps(f"sqlite:///{source}#theirs/0")],
        )
    connection.close()
    for file_of_trial in (ram_path / "runs" / "mine" / "trials").rglob("result.json"):
        record = json.loads(file_of_trial.read_text())
        if "imported" in record:
            record["imported"] = f"sqlite:///{source}#theirs/0"
            file_of_trial.write_text(json.dumps(record))
    assert "1 had been taken before" in import_into(ram_path, file, str(source)).stdout


@pytest.mark.parametrize("name", ["x{y}", "what?", "50%", "a%20b", "#1", "a b", "ä", "file:x"])
def test_paths_with_odd_characters(ram_path: Path, name: str) -> None:
    folder = ram_path / name
    folder.mkdir()
    database = database_of(ram_path / "theirs.db", VALUES).rename(folder / "same.db")
    project = project_of(folder / "kt", {**VALUES, "units": 9})
    file = str(study_file(ram_path, "mine"))
    for source in (str(database), str(project), f"sqlite:///{database}"):
        done = import_into(ram_path, file, source)
        assert done.exception is None, source
    assert len(trials_of(ram_path, "mine")) == 2


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_the_source_stays_as_it_is(ram_path: Path, journal: str) -> None:
    folder = ram_path / "theirs"
    folder.mkdir()
    database = database_of(folder / "theirs.db", VALUES)
    with sqlite3.connect(database) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    connection.close()
    project_of(folder / "kt", VALUES)
    before = contents(folder)
    for source in (database, folder / "kt"):
        done = import_into(ram_path, str(study_file(ram_path, "mine")), str(source))
        assert done.exception is None
    assert contents(folder) == before


def _books(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE books (title TEXT)")
        connection.execute("INSERT INTO books VALUES ('a')")
    connection.close()


@pytest.mark.parametrize(
    "write",
    [
        _books,
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"SQLite format 3\0" + bytes(200)),
        lambda file: file.write_text("text"),
    ],
)
def test_what_is_no_optuna_database_is_refused_untouched(
    ram_path: Path, write: Callable[[Path], object]
) -> None:
    folder = ram_path / "theirs"
    folder.mkdir()
    write(folder / "books.db")
    before = contents(folder)
    for source in (str(folder / "books.db"), f"sqlite:///{folder / 'books.db'}"):
        done = import_into(ram_path, str(study_file(ram_path, "mine")), source)
        assert isinstance(done.exception, UserError)
        assert "not an Optuna database that can be read" in str(done.exception)
        assert "\n" not in str(done.exception)
    assert contents(folder) == before
    assert not (ram_path / "runs").exists()


def _sql(*statements: str) -> Callable[[Path], None]:
    def change(file: Path) -> None:
        with sqlite3.connect(file) as connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _sql("UPDATE trial_params SET distribution_json = '{}'"),
        _sql("UPDATE trial_params SET distribution_json = 'x'"),
        _sql("UPDATE trial_params SET param_value = 99"),
        _sql("UPDATE trial_params SET param_value = 'x'"),
        _sql("UPDATE trials SET state = 'XX'"),
        _sql("UPDATE trial_values SET value = NULL"),
        _sql("UPDATE trial_values SET value = 'x'"),
        _sql("UPDATE trial_values SET value_type = 'XX'"),
        _sql("DELETE FROM trial_values"),
        _sql("UPDATE trial_intermediate_values SET step = 1e20"),
        _sql("UPDATE trial_intermediate_values SET step = -1"),
        _sql("UPDATE trial_intermediate_values SET step = 1.5"),
        _sql("UPDATE trial_intermediate_values SET intermediate_value = 'x'"),
        _sql("UPDATE study_directions SET direction = 'XX'"),
        _sql("DELETE FROM study_directions"),
        _sql("DELETE FROM version_info"),
        _sql("DELETE FROM alembic_version"),
        _sql("UPDATE alembic_version SET version_num = 'v0.0.0'"),
        _sql("DROP TABLE trial_values"),
    ],
)
def test_a_damaged_database_is_one_line_and_nothing_comes_in(
    ram_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = ram_path / "theirs"
    folder.mkdir()
    damage(database_of(folder / "theirs.db", VALUES))
    before = contents(folder)
    done = import_into(ram_path, str(study_file(ram_path, "mine")), str(folder / "theirs.db"))
    assert isinstance(done.exception, UserError), done.exception
    assert "\n" not in str(done.exception)
    assert len(str(done.exception)) < 400
    assert contents(folder) == before
    assert not (ram_path / "runs").exists()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"value": [0.5]', '"value": "x"'),
        ('"value": [0.5]', '"value": ["x"]'),
        ('"value": [0.5]', '"value": [true]'),
        ('"value": [0.5]', '"value": 0.5'),
        ('[{"value": [0.5], "step": 0}]', "[true]"),
        ('[{"value": [0.5], "step": 0}]', "true"),
        ('"step": 0', '"step": 1e20'),
        ('"step": 0', '"step": "x"'),
        ('"hyperparameters": {', '"hyperparameters": [{'),
        ('"values": {', '"values": 5, "x": {'),
        ('"trial_id"', '"trial"'),
        ('{"val_loss"', '[{"val_loss"'),
        ("{", ""),
        ("{", "[" * 100_000),
    ],
)
def test_a_damaged_project_is_one_line(ram_path: Path, old: str, new: str) -> None:
    project = project_of(ram_path / "theirs", VALUES, VALUES)
    file = project / "trial_01" / "trial.json"
    file.write_text(file.read_text().replace(old, new, 1))
    done = import_into(ram_path, str(study_file(ram_path, "mine")), str(project))
    assert isinstance(done.exception, UserError), done.exception
    assert "trial.json: not a trial of KerasTuner that can be read" in str(done.exception)
    assert "\n" not in str(done.exception)
    assert not (ram_path / "runs").exists()


@pytest.mark.parametrize(
    "source", ["a\0b", "x" * 5000, "nosuch://x", "sqlite://", "://", "sqlite:///none.db"]
)
def test_a_strange_source_is_one_line(ram_path: Path, source: str) -> None:
    done = import_into(ram_path, str(study_file(ram_path, "mine")), source)
    assert isinstance(done.exception, UserError), done.exception
    assert "\n" not in str(done.exception)
