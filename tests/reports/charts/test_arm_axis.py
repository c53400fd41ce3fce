"""Arms with numbers lie on a horizontal axis, arms with names on a vertical one."""

from typing import Any

import pytest
from report_testing import MakeRun

from harness.results.records import read_records
from reports.charts import arm_axis


@pytest.mark.parametrize(
    ("compare", "name", "positions", "upright"),
    [
        ({"depth": [1, 2, 4]}, "depth", [1.0, 2.0, 4.0], True),
        ({"cell": ["gru", "lstm"]}, "cell", [0.0, 1.0], False),
        ({"bidirectional": [False, True]}, "bidirectional", [0.0, 1.0], False),
        ({"depth": [2]}, "", [0.0], True),
        ({}, "", [0.0], True),
    ],
)
def test_the_axis_suits_what_is_compared(
    make_run: MakeRun, compare: dict[str, Any], name: str, positions: list[float], upright: bool
) -> None:
    layout = arm_axis.of(read_records(make_run(compare=compare, trials=0)))
    assert layout.name == name
    assert list(layout.positions.values()) == positions
    assert layout.upright == upright
    assert layout.step == 1.0
