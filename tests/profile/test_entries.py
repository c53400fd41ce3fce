"""Figures of several processes become one entry."""

import pytest
from profile_testing import configuration, figures

from harness.profile import entries


def test_pooling() -> None:
    one = figures([1.0, 2.0, 3.0], compile_s=2.0, peak_rss_mb=800.0)
    two = figures([4.0, 5.0], compile_s=4.0, peak_rss_mb=900.0)
    entry = entries.entry(configuration(), [one, two])
    assert entry["step_ms"] == {
        "median": 3.0, "p05": pytest.approx(1.2), "p95": pytest.approx(4.8), "n": 5,
        "unstable": True,
    }  # fmt: skip
    assert entry["compile_s"] == 3.0
    assert entry["peak_rss_mb"] == 800.0
    assert entry["gflops"] == pytest.approx(entry["flops_per_step"] / 3.0 / 1e6)
    assert entry["us_per_iteration"] == pytest.approx(3.0 * 1000 / 400)
    assert entry["matmul_share"] == pytest.approx(entry["gflops"] / 100.0)
