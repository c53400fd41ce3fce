"""The path rule is fixed, agrees with the committed measurements, and loads no framework."""

import json
import subprocess
import sys

import pytest
from benchmark_testing import BENCHMARKS, loaded

from harness.spec.hyperparameters import Hyperparameters
from harness.training.recurrent import PATHS, choice, choose_path, paths_from
from harness.training.recurrent.choice import ONE_KERNEL_UNITS


@pytest.fixture(scope="module")
def derive_paths():
    return loaded("derive_paths")


def test_the_rule_is_what_the_measurements_say(derive_paths):
    records = json.loads((BENCHMARKS / "paths.json").read_text())["records"]
    assert derive_paths.derive(records) == ONE_KERNEL_UNITS
    assert derive_paths.derive_jax(derive_paths.of_jax()) == choice.JAX_PATHS


def test_with_jax_the_fastest_path_of_each_device_and_size_is_taken(derive_paths, monkeypatch):
    """Records of made-up times; what is fastest over a whole trial counts, compiling included."""
    times = {  # ms a step
        ("cpu", "lstm", 4): {"xla-kernel": 1.0, "xla-scan": 2.0, "keras": 3.0},
        ("cpu", "lstm", 8): {"xla-kernel": 2.0, "xla-scan": 2.1, "keras": 3.0},
        ("cpu", "lstm", 16): {"xla-scan": 3.0, "keras": 4.0},
        ("cpu", "lstm", 64): {"xla-scan": 9.0, "keras": 8.0},
        ("gpu", "lstm", 4): {"xla-scan": 9.0, "keras": 1.0},
        ("gpu", "lstm", 64): {"xla-scan": 9.0, "keras": 1.0},
    }
    records = [
        {"device": device, "cell": cell, "units": units, "path": path, "step_ms": ms,
         "compile_s": 9.0 if (path, units) == ("xla-kernel", 8) else 2.0}
        for (device, cell, units), paths in times.items() for path, ms in paths.items()
    ]  # fmt: skip
    rule = derive_paths.derive_jax(records)
    assert rule["cpu"]["lstm"] == ((4, "xla-kernel"), (16, "xla-scan"), (None, "keras"))
    monkeypatch.setattr(choice, "JAX_PATHS", rule)

    def path(units, device="cpu", cell="lstm"):
        hp = Hyperparameters(cell=cell, depth=1, units=units)
        return choose_path(hp, device=device, backend="jax")

    assert [path(n) for n in (3, 4, 5, 16, 17, 500)] == [
        "xla-kernel", "xla-kernel", "xla-scan", "xla-scan", "keras", "keras",
    ]  # fmt: skip
    assert path(5, device="gpu") == path(500, device="gpu") == "keras"
    assert path(5, cell="gru") == path(5, device="gpu", cell="bag") == "xla-scan"  # not measured


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
