"""The section on forecasts: what is drawn, and what is said about it."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from page_testing import HOSTILE, check
from report_testing import NOW, MakeRun, write_forecasts

from harness.results.records import read_records
from harness.results.run_directory import RunDirectory
from harness.results.training_folder import FORECAST
from reports import page
from reports.content import Section, Value
from reports.sections import accuracy, forecast

ERRORS = {"depth=1": 8.0, "depth=2": 9.0, "baseline=seasonal": 12.0, "baseline=ridge": 7.0}


def section(folder: Path, errors: dict[str, float] | None = None, **options: Any) -> Section:
    root = write_forecasts(folder / "s", errors or ERRORS, **options)
    found = forecast.build(read_records(root))
    assert found is not None
    return found


def test_a_study_without_forecasts_has_none(make_run: MakeRun) -> None:
    assert forecast.build(read_records(make_run(replicates=1))) is None


def test_the_block_has_truth_and_forecasts_of_the_recommended_arm(tmp_path: Path) -> None:
    found = section(tmp_path)
    block = found.figures[0]
    assert block.caption == "Truth, and what depth 1 forecast (the mean of its replicates)."
    assert [key.label for key in block.legend] == [
        "truth", "forecast 1 step ahead", "forecast 7 steps ahead",
    ]  # fmt: skip
    assert block.data.columns == ("time", "step", "truth", "forecast")
    assert len(block.data.rows) == 2 * 200
    assert block.data.rows[0][:3] == ("2024-01-01", 1, 100.0)
    assert block.data.rows[200][:2] == ("2024-01-07", 7)
    assert "the truth goes from 70.8 to 129" in block.panels[0].alt
    assert found.text[0] == (
        "At each of 200 test times, from 2024-01-01 to 2024-07-24, the next 7 steps of 1 day are "
        "forecast at once."
    )


def test_the_error_by_step_is_the_mean_over_replicates(tmp_path: Path) -> None:
    found = section(tmp_path)
    root = tmp_path / "s"
    errors = []
    for search in (1, 2, 3):
        with np.load(RunDirectory(root).replicate("depth=2", 1, search) / FORECAST) as arrays:
            errors.append(np.abs(arrays["forecast"] - arrays["truth"]).mean(axis=(0, 2)))
    (table,) = found.tables
    assert [column.title for column in table.columns] == [
        "Step", "Depth 1", "Depth 2", "Seasonal naive", "Ridge autoregression",
    ]  # fmt: skip
    shown = [row.cells[2] for row in table.rows]
    assert [cell.number for cell in shown if isinstance(cell, Value)] == pytest.approx(
        np.mean(errors, axis=0), rel=1e-5
    )
    assert found.text[1].startswith(
        "The lowest mean absolute error is that of ridge autoregression at step 1 ("
    )
    steps = found.figures[1]
    assert steps.data.rows[0][:2] == ("depth=1", 1)
    assert "ridge autoregression from" in steps.panels[0].alt


def test_residuals_have_their_signs(tmp_path: Path) -> None:
    residuals = section(tmp_path).figures[2]
    values = [row[1] for row in residuals.data.rows]
    assert len(values) == 200
    assert min(values) < 0 < max(values)  # type: ignore[type-var]
    assert "in the first half and" in residuals.panels[0].alt


def test_one_step_and_numbers_as_times(tmp_path: Path) -> None:
    found = section(tmp_path, facts={"horizon": 1, "frequency": None})
    assert "the next step is forecast at once" in found.text[0]
    assert [key.label for key in found.figures[0].legend] == ["truth", "forecast 1 step ahead"]
    assert len(found.tables[0].rows) == 1


def test_only_the_last_times_are_drawn(tmp_path: Path) -> None:
    found = section(tmp_path, facts={"test_times": 1000})
    assert found.figures[0].caption.endswith("The last 300 test times are drawn.")
    assert len(found.figures[0].data.rows) == 600
    assert len(found.figures[2].data.rows) == 300


def test_several_targets_and_folds_are_named(tmp_path: Path) -> None:
    facts = {"targets": ["sold", "returned"], "unit": "sold, returned", "folds": 3}
    found = section(tmp_path, facts=facts)
    assert found.text[0].endswith("Drawn is the first of the targets, sold.")
    panel = section(tmp_path / "panel", facts={"series": 12})
    assert panel.text[0].endswith("This section is about the first of the 12 series.")
    assert "The times are those of 3 folds" in found.text[0]


def test_damaged_forecasts_are_left_out(tmp_path: Path) -> None:
    root = write_forecasts(tmp_path / "s", ERRORS)
    for search in (1, 2, 3):
        folder = RunDirectory(root).replicate("depth=1", 1, search)
        (folder / FORECAST).write_bytes(b"nothing")
    (RunDirectory(root).replicate("depth=2", 1, 1) / FORECAST).unlink()
    found = forecast.build(read_records(root))
    assert found is not None
    assert "what depth 2 forecast" in found.figures[0].caption
    for arm in ERRORS:
        for search in (1, 2, 3):
            (RunDirectory(root).replicate(arm, 1, search) / FORECAST).unlink(missing_ok=True)
    assert forecast.build(read_records(root)) is None


def test_the_page_is_whole_and_harmless(tmp_path: Path) -> None:
    facts = {"unit": HOSTILE, "targets": [HOSTILE], "frequency": HOSTILE}
    root = write_forecasts(tmp_path / "s", ERRORS, facts=facts)
    parsed = check(page.render(read_records(root), now=NOW))
    for told in (
        "Take depth 1. It has the lowest mean, and the cheapest step.",
        "all cheaper ones have a higher MAE",
        "of the best arm's error, which the study declares too small to matter",
        "over blocks of time",
        "Against the ridge autoregression",
    ):
        assert told in parsed.text, told


def test_the_page_speaks_of_the_unit_and_of_no_points(tmp_path: Path) -> None:
    root = write_forecasts(tmp_path / "s", ERRORS)
    parsed = check(page.render(read_records(root), now=NOW))
    assert "It gets a test MAE of 7.19\u00a0units, the mean of" in parsed.text
    assert "These are forecasts, so scores are errors: MAE" in parsed.text
    assert not re.search(r"\bpoints\b|[Aa]ccura", parsed.text)
    assert "1\u00a0%" in parsed.text  # of the margin
    units = [unit for unit in parsed.all("data-unit") if unit]
    assert "units" in units
    assert "points" not in units


def test_too_few_blocks_are_said_where_verdicts_stand(tmp_path: Path) -> None:
    root = write_forecasts(tmp_path / "s", ERRORS, facts={"test_times": 30})
    parsed = check(page.render(read_records(root), now=NOW))
    assert parsed.text.count("too few independent blocks of time") >= 2


def test_other_errors_stand_beside_the_mae(tmp_path: Path) -> None:
    root = write_forecasts(tmp_path / "s", ERRORS)
    found = accuracy.build(read_records(root))
    assert found is not None
    (table,) = found.tables
    units = {column.title: column.unit for column in table.columns}
    assert (units["Test MAE"], units["RMSE"], units["MASE"], units["sMAPE"]) == (
        "units", "units", "", "%",
    )  # fmt: skip
    place = [column.title for column in table.columns].index("RMSE")
    assert [cell.text if isinstance(cell, Value) else cell for cell in table.rows[0].cells][
        place : place + 3
    ] == ["9.35\u00a0units", "0.58", "–"]
