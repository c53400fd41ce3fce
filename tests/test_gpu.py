"""What runs on a GPU: skipped where there is none."""

from pathlib import Path

import numpy as np
import pytest
from profile_testing import configuration

from harness.profile import profiler
from harness.profile.measurements import Configuration, Effort

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif("gpu" not in profiler.devices_here(), reason="no NVIDIA GPU here"),
]


def test_a_grid_is_profiled_on_the_gpu(tmp_path: Path) -> None:
    hp = configuration(cell="lstm", depth=2, units=32, sequence_length=50).hyperparameters
    both = [Configuration(hyperparameters=hp, device=device) for device in ("cpu", "gpu")]
    found = profiler.profile(both, tmp_path, Effort(1, 0.5), print)
    assert found["failed"] == []
    on_cpu, on_gpu = found["entries"]
    assert (on_cpu["device"], on_gpu["device"]) == ("cpu", "gpu")
    assert on_gpu["cudnn"] is True  # stock LSTM layers, which qualify
    assert on_gpu["peak_device_mb"] > 0
    assert on_cpu["peak_device_mb"] is None
    assert np.isfinite(on_gpu["step_ms"]["median"])
    assert found["environment"]["gpus"]
