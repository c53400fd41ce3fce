"""What tests of the analysis share: the simulators of the calibration benchmarks."""

from typing import Any

import pytest
from benchmark_testing import loaded


@pytest.fixture(scope="session")
def calibration() -> Any:
    """The benchmark of verdicts, with fewer test examples."""
    module = loaded("calibration")
    module.EXAMPLES = 400
    return module


@pytest.fixture(scope="session")
def forecast_calibration() -> Any:
    """The benchmark of verdicts on forecasts."""
    return loaded("forecast_calibration")
