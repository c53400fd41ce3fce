"""What tests of the analysis share: the simulator of the calibration benchmark."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

CALIBRATION = Path(__file__).parents[1] / "benchmarks" / "calibration.py"


@pytest.fixture(scope="session")
def calibration() -> Any:
    """The benchmark as a module, with fewer test examples."""
    spec = importlib.util.spec_from_file_location("calibration", CALIBRATION)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module
    spec.loader.exec_module(module)
    module.EXAMPLES = 400
    return module
