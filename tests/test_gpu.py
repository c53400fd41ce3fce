"""What runs on a GPU: skipped where there is none."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from profile_testing import configuration

from harness.profile import profiler
from harness.profile.measurements import Configuration, Effort
from harness.spec.choices import BACKENDS

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif("gpu" not in profiler.devices_here(), reason="no NVIDIA GPU here"),
]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_grid_is_profiled_on_the_gpu(backend: str, tmp_path: Path) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"no {backend} here")
    hp = configuration(cell="lstm", depth=1, units=32, sequence_length=20).hyperparameters
    both = [
        Configuration(hyperparameters=hp, backend=backend, device=device)
        for device in ("cpu", "gpu")
    ]
    found = profiler.profile(both, tmp_path, Effort(1, 0.5), print)
    assert found["failed"] == []
    on_cpu, on_gpu = found["entries"]
    assert (on_cpu["device"], on_gpu["device"]) == ("cpu", "gpu")
    if backend == "tensorflow":
        assert on_gpu["cudnn"] is True  # stock LSTM layers, which qualify
    assert on_gpu["peak_device_mb"] > 0
    assert on_cpu["peak_device_mb"] is None
    assert np.isfinite(on_gpu["step_ms"]["median"])
    assert found["environment"]["gpus"]
