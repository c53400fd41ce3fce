"""Figures of several processes become one entry."""

import pytest
from profile_testing import configuration, figures

from harness.profile import entries, scaling
from harness.profile.command import terminal_lines
from harness.profile.estimate import hyperparameters_of
from harness.spec.hyperparameters import OPTIONS


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


def test_an_entry_has_the_options_that_are_not_defaults_and_is_read_back() -> None:
    plain = entries.entry(configuration(), [figures()])
    assert not set(OPTIONS) & set(plain)
    asked = configuration(residual=True, optimizer="sgd", momentum=0.9, mask=True)
    entry = entries.entry(asked, [figures()])
    assert {name: entry[name] for name in OPTIONS if name in entry} == {
        "residual": True, "optimizer": "sgd", "momentum": 0.9, "mask": True,
    }  # fmt: skip
    assert hyperparameters_of(entry) == asked.hyperparameters
    assert "batch 32 optimizer sgd momentum 0.9 residual True mask True tensorflow" in str(asked)
    assert terminal_lines({"entries": [entry], "failed": []})[0].startswith(
        "lstm depth 2 units 5 length 100 batch 32 optimizer sgd momentum 0.9 residual True mask "
    )


def test_the_scaling_of_step_times_is_that_of_equal_options() -> None:
    def at(depth: int, ms: float, **options: object) -> dict[str, object]:
        return entries.entry(configuration(depth=depth, **options), [figures([ms] * 3)])

    plain = [at(1, 2.0), at(2, 4.0), at(4, 8.0)]
    assert scaling.fits([*plain, at(4, 80.0, mask=True)]) == scaling.fits(plain)
