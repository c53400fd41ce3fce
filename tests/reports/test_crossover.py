"""Where the GPU overtakes, from made-up step times."""

import math
from typing import Any

import pytest

from reports.crossover import crossovers


def entry(units: int, device: str, ms: float, batch: int = 32) -> dict[str, Any]:
    return {
        "cell": "lstm", "depth": 2, "units": units, "sequence_length": 100, "batch_size": batch,
        "backend": "tensorflow", "device": device, "step_ms": {"median": ms},
    }  # fmt: skip


def both(cpu: dict[int, float], gpu: dict[int, float]) -> list[dict[str, Any]]:
    return [
        entry(units, device, ms)
        for device, times in (("cpu", cpu), ("gpu", gpu))
        for units, ms in times.items()
    ]


def test_the_change_is_found_between_two_sizes() -> None:
    # CPU time grows as the size, the GPU's not at all: equal where the CPU takes 4 ms.
    (found,) = crossovers(both({8: 1.0, 16: 2.0, 64: 8.0}, {8: 4.0, 16: 4.0, 64: 4.0}))
    assert found.below == pytest.approx(32 * 32)
    assert found.sizes == (8 * 32, 64 * 32)
    assert not found.mixed


def test_one_device_may_win_everywhere() -> None:
    assert crossovers(both({8: 1.0, 16: 2.0}, {8: 4.0, 16: 4.0}))[0].below is None
    assert crossovers(both({8: 9.0, 16: 9.0}, {8: 4.0, 16: 4.0}))[0].below == 0.0


def test_a_lead_that_changes_hands_is_called_mixed() -> None:
    (found,) = crossovers(both({1: 1.0, 2: 9.0, 4: 1.0, 8: 9.0}, dict.fromkeys((1, 2, 4, 8), 3.0)))
    assert found.mixed
    assert found.below is not None
    assert 4 * 32 < found.below < 8 * 32


def test_equal_sizes_of_other_shapes_count_together() -> None:
    entries = both({8: 1.0, 32: 8.0}, {8: 4.0, 32: 4.0})
    entries += [entry(16, "cpu", 2.0, batch=16), entry(16, "gpu", 16.0, batch=16)]  # 8 × 32 too
    (found,) = crossovers(entries)
    ratios = math.log(math.sqrt(4.0 * 8.0)), math.log(0.5)
    share = ratios[0] / (ratios[0] - ratios[1])
    assert found.below == pytest.approx(256 * 4**share)


def test_one_device_or_one_size_has_no_crossover() -> None:
    assert crossovers([entry(8, "cpu", 1.0), entry(16, "cpu", 2.0)]) == []
    assert crossovers([entry(8, "cpu", 1.0), entry(8, "gpu", 2.0)]) == []
