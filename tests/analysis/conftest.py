"""What tests of the analysis share: the simulators of the calibration benchmarks."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def loaded(name: str) -> Any:
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


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
