"""The path rule is fixed, agrees with the committed measurements, and loads no framework."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.spec.hyperparameters import Hyperparameters
from harness.training.recurrent import PATHS, choose_path, paths_from
from harness.training.recurrent.choice import ONE_KERNEL_UNITS

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def test_the_rule_is_what_the_measurements_say():
    spec = importlib.util.spec_from_file_location("derive_paths", BENCHMARKS / "derive_paths.py")
    derive_paths = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(derive_paths)
    records = json.loads((BENCHMARKS / "paths.json").read_text())["records"]
    assert derive_paths.derive(records) == ONE_KERNEL_UNITS


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_small_layers_run_as_one_kernel_and_large_ones_as_a_scan(cell):
    def path(units):
        hp = Hyperparameters(cell=cell, depth=2, units=units)
        return choose_path(hp, device="cpu", backend="tensorflow")

    limit = ONE_KERNEL_UNITS[cell]
    assert path(limit) == "xla-kernel"
    assert path(limit + 1) == "xla-scan"
    assert path((limit + 1, 1)) == "xla-scan"  # the largest layer decides


@pytest.mark.parametrize(
    ("device", "backend"), [("gpu", "tensorflow"), ("cpu", "torch"), ("gpu", "torch")]
)
def test_elsewhere_stock_keras_runs(device, backend):
    assert choose_path(Hyperparameters(), device=device, backend=backend) == "keras"


def test_every_path_falls_back_to_the_reference():
    for path in PATHS:
        assert paths_from(path)[0] == path
        assert paths_from(path)[-1] == "keras"
    with pytest.raises(ValueError, match="cudnn"):
        paths_from("cudnn")


def test_choosing_imports_no_framework():
    code = (
        "import sys, harness.training.recurrent; print({'keras', 'tensorflow'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
