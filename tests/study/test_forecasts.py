"""The options of forecasts: which study and dataset they make, and what does not go together."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forecast_testing import saved, table

from harness import Budget, Co2, IntDistribution, Study
from harness.core.errors import UserError
from harness.datasets.base.forecast import Forecast
from harness.spec import study_files
from harness.study import plan
from harness.study.options import Options
from harness.study.overrides import apply, command, narrowed

TABLE = {"time_column": "date", "target_column": ["units"], "horizon": 7}


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def applied(name: str = "lstm_depth", **options: Any) -> Study:
    return apply(Options(name=name, **options), study_files.load(name).study)


def test_any_study_runs_on_a_table_over_time(tmp_path: Path) -> None:
    file = str(saved(tmp_path, table(1_000)))
    study = applied(dataset=file, **TABLE)
    assert isinstance(study.dataset, Forecast)
    assert study.dataset.inputs == ("price", "holiday")
    assert set(study.fixed) == {"cell", "batch_size"}
    # The longest lookback that leaves enough rows, and the gap that belongs to it.
    assert study.search["sequence_length"].choices == (50, 100)  # type: ignore[attr-defined]
    assert study.dataset.lookback == 100
    assert study.dataset.gap == 107
    said = narrowed(study_files.load("lstm_depth").study, study)
    assert said == [
        "sequence_length: one of 50, 100 instead of one of 50, 100, 200; longer windows leave too "
        "few of the rows"
    ]
    depth = study.arms()[0]
    assert study.signature_of(depth).outputs == 7
    assert study.quick().dataset.lookback == 100


def test_columns_are_named_again_or_with_commas(tmp_path: Path) -> None:
    file = str(saved(tmp_path, table()))
    for names in (["units,price"], ["units", "price"]):
        study = applied(dataset=file, **TABLE | {"target_column": names})
        assert study.dataset.targets == ("units", "price")  # type: ignore[attr-defined]
    none = applied(dataset=file, **TABLE, input_columns=["none"])
    assert none.dataset.inputs == ()  # type: ignore[attr-defined]


def test_a_studys_own_forecast_takes_another_horizon_season_and_folds() -> None:
    study = applied("forecast_depth", horizon=4, folds=3, season=26, calendar=True)
    assert (study.dataset.horizon, study.dataset.folds) == (4, 3)  # type: ignore[attr-defined]
    assert study.dataset.facts()["season"] == 26
    assert study.signature.outputs == 4
    with pytest.raises(UserError, match="--gaps goes with a table over time"):
        applied("forecast_depth", gaps="fill")
    with pytest.raises(UserError, match="--horizon goes with a table over time"):
        applied(horizon=3)
    assert applied("lstm_depth", dataset="co2", horizon=2).signature.outputs == 2


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"horizon": 7}, "--time-column is missing: a forecast from a table needs it"),
        ({"time_column": "date"}, "--target-column is missing"),
        (TABLE | {"text_column": "text"}, "--text-column: goes with texts or classes"),
        (TABLE | {"task": "number"}, "--task: goes with texts or classes"),
        (TABLE | {"horizon": 0}, "--horizon 0: a forecast is at least one step ahead"),
        (TABLE | {"known_columns": ["units"]}, "column 'units' is named twice"),
        (TABLE | {"run_name": "a/b"}, None),
    ],
)
def test_what_does_not_go_together(
    options: dict[str, Any], complaint: str | None, tmp_path: Path
) -> None:
    file = str(saved(tmp_path, table()))
    with pytest.raises(UserError, match=complaint or "--name a/b: letters, digits"):
        plan.plan(Options(name="lstm_depth", dataset=file, **options))


def test_arrays_are_no_table_over_time(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((60, 5, 1)), y=np.arange(60.0))
    with pytest.raises(UserError, match="--time-column: goes with a table over time"):
        applied(dataset=str(tmp_path / "a.npz"), **TABLE)


def test_the_plan_and_the_command_that_resumes(tmp_path: Path) -> None:
    file = saved(tmp_path, table())
    given = TABLE | {"target_column": ["units", "price"], "calendar": True, "folds": 2}
    options = Options(name="lstm_depth", dataset=str(file), run_name="shop", **given)
    told = json.loads(json.dumps(plan.plan_mapping(options)))
    assert told["study"] == "shop"
    assert told["data"]["task"] == "forecast"
    assert told["data"]["horizon"] == 7
    assert told["data"]["rows"] == 400
    assert told["directory"].endswith("shop")
    assert "400 rows, 1 day apart" in plan.plan(options)
    words = command(options)
    assert "--target-column units --target-column price" in words
    assert "--name shop" in words
    assert words.count("--calendar") == 1


def test_a_study_file_whose_windows_are_longer_than_the_rows_allow() -> None:
    budget = Budget(trials=1, epochs=1)
    too_long = Study(dataset=Co2(), fixed={"sequence_length": 900}, budget=budget)
    with pytest.raises(UserError, match=r"co2: 2,284 rows are too few: [\d,]+ are needed"):
        too_long.dataset.prepare(print)
    study = Study(dataset=Co2(), search={"sequence_length": IntDistribution(10, 60)}, budget=budget)
    assert study.dataset.lookback == 60  # type: ignore[attr-defined]
    assert replace(study, fixed={"cell": "gru"}).dataset == study.dataset


def test_a_window_has_all_steps_of_what_is_known_in_advance(tmp_path: Path) -> None:
    file = str(saved(tmp_path, table()))
    given = TABLE | {"known_columns": ["holiday"]}
    study = applied(dataset=file, **given | {"horizon": 30})
    assert study.search["sequence_length"].choices == (40,)  # type: ignore[attr-defined]
    with pytest.raises(UserError, match="sequence_length: 50 is less than the horizon of 60"):
        applied(dataset=file, **given | {"horizon": 60})
