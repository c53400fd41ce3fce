"""Axes have ticks for any numbers, and dots of one place stay apart."""

import pytest

from reports.charts import chart, scales


@pytest.mark.parametrize("values", [[5.0], [5.0, 5.1], [1.0, 90.0], [1e-5, 1e4], [320e3, 325e3]])
def test_log_axes_always_have_ticks(values: list[float]) -> None:
    def draw(axes: object) -> None:
        scales.logarithmic(axes, "x", values)  # type: ignore[arg-type]

    svg = chart.panel("mine", "", draw).svg
    assert svg.count("<text") >= 8  # six of them on the other axis


def test_spread_is_even_and_within_bounds() -> None:
    offsets = scales.spread(50, 0.5)
    assert len(set(offsets)) == 50
    assert min(offsets) >= -0.25
    assert max(offsets) <= 0.25
