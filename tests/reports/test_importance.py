"""Importance is high for what matters, near 0 for the rest, and needs enough trials."""

from typing import Any

from report_testing import MakeRun

from harness.results import records
from reports.importance import importances


def units_decide(result: dict[str, Any]) -> dict[str, Any]:
    # Arms differ by far more than units do: that must not count.
    value = 1 / result["params"]["units"] + 10 * int(result["arm"].partition("=")[2])
    return {**result, "value": value, "state": "complete"}


def test_what_decides_stands_out(make_run: MakeRun) -> None:
    found = importances(records.read_records(make_run(trials=20, edit=units_decide)))
    assert found["units"] > 0.8
    assert max(found[name] for name in found if name != "units") < 0.3


def test_few_trials_say_nothing(make_run: MakeRun) -> None:
    assert importances(records.read_records(make_run(trials=2))) == {}
