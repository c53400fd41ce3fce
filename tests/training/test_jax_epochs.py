"""Epochs of JAX have the numbers of TensorFlow's, and everything else that those have."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.jax, pytest.mark.slow]

TESTS = Path(__file__).parents[1]


def _run(backend: str, *command: str, **variables: str) -> str:
    """Run Python in a process whose Keras has this backend; returns its stdout."""
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True, text=True, check=False, timeout=550, cwd=TESTS.parent,
        env={
            **os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]), **variables,
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_outputs_gradients_and_epochs_are_those_of_tensorflow(tmp_path: Path) -> None:
    """All options, from the same weights, on the fast paths of both.

    Outputs and gradients agree within 1e-5 of the largest number. Rounding grows over the 21 steps
    of three epochs: then losses agree within 1e-4, and weights within 5e-4.
    """
    pytest.importorskip("jax")
    found = []
    for backend in ("tensorflow", "jax"):
        file = tmp_path / f"{backend}.npz"
        _run(backend, str(TESTS / "backend_testing.py"), str(file))
        found.append(np.load(file))
    theirs, ours = found
    assert list(ours) == list(theirs)
    for name in ours:
        one, other = ours[name], theirs[name]
        assert one.shape == other.shape
        largest = max(1e-3, np.abs(other).max())
        if "gradient" in name:
            assert np.abs(one - other).max() <= 1e-5 * largest, name
        elif "weight" in name:
            np.testing.assert_allclose(one, other, atol=5e-4, err_msg=name)
        else:
            np.testing.assert_allclose(one, other, rtol=1e-4, err_msg=name)


def test_a_training_resumes_bit_for_bit_also_within_an_epoch() -> None:
    pytest.importorskip("jax")
    wanted = "paused_within_an_epoch or (xla-scan and (fresh_trainer or adamw))"
    resuming = str(TESTS / "training/test_trainer_resume.py")
    options = ("-q", "-p", "no:cacheprovider", "-m", "slow", "-k", wanted)
    assert "3 passed" in _run("jax", "-m", "pytest", *options, resuming)


def test_mixed_precision_runs_on_the_scan() -> None:
    pytest.importorskip("jax")
    precision = str(TESTS / "training/test_precision.py")
    options = ("-q", "-p", "no:cacheprovider", "-m", "slow", "-k", "easy_task or gru")
    assert "2 passed" in _run("jax", "-m", "pytest", *options, precision)


KEPT = """
import json, sys
import jax
from training_testing import SMALL, numbers, toy_data, train
from harness.spec.hyperparameters import Hyperparameters
from harness.training.trainer import Trainer

events, told = [], []
jax.monitoring.register_event_listener(lambda event, **_: events.append(event))
hp = Hyperparameters(cell="gru", dropout=0.3, **SMALL)
trainer = Trainer(notify=told.append)
done = train(trainer, hp, toy_data(), seed=4)
print(json.dumps({
    "numbers": numbers(done),
    "weights": [weight.tobytes().hex() for weight in trainer.weights()],
    "compiled": sum(event.endswith("cache_misses") for event in events),
    "found": sum(event.endswith("cache_hits") for event in events),
    "told": told, "path": done.path, "tensorflow": "tensorflow" in sys.modules,
}))
"""


def test_another_process_finds_the_programs_and_the_same_numbers(tmp_path: Path) -> None:
    pytest.importorskip("jax")

    def trained(store: Path | str) -> dict[str, Any]:
        answer = _run("jax", "-c", KEPT, HARNESS_COMPILE_CACHE=str(store))
        found: dict[str, Any] = json.loads(answer.splitlines()[-1])
        assert found["path"] == "xla-kernel"
        assert not found["tensorflow"]  # its import would take seconds
        return found

    fresh, again = (trained(tmp_path / "p") for _ in range(2))
    assert fresh["compiled"] > 1
    assert again["compiled"] == 0
    assert again["found"] > 1
    assert fresh["told"] == again["told"] == []
    assert again["numbers"] == fresh["numbers"]
    assert again["weights"] == fresh["weights"]
    (folder,) = (tmp_path / "p").iterdir()
    assert len(list(folder.glob("*-cache"))) >= fresh["compiled"]
    # What a process left that was killed while it wrote is removed, and made again.
    victim = next(folder.glob("jit_steps*-cache"))
    victim.write_bytes(victim.read_bytes()[:1000])
    victim.with_name(victim.name.replace("-cache", "-atime")).unlink()
    mended = trained(tmp_path / "p")
    assert mended["compiled"] == 1
    assert mended["weights"] == fresh["weights"]


def test_the_store_can_be_off_the_users_own_or_refused(tmp_path: Path) -> None:
    pytest.importorskip("jax")
    code = (
        "import jax; from harness.training.jax_cache import use_store\n"
        "print(use_store(), jax.config.jax_compilation_cache_dir)"
    )

    def told(store: str, **variables: str) -> str:
        return _run("jax", "-c", code, HARNESS_COMPILE_CACHE=store, **variables).strip()

    assert told("off") == "None None"
    assert told(str(tmp_path / "p"), JAX_COMPILATION_CACHE_DIR="/mine") == "None /mine"
    assert not (tmp_path / "p").exists()
    assert told(str(tmp_path / "p")).startswith(f"None {tmp_path / 'p'}/")
    (tmp_path / "p").chmod(0o777)
    assert "is open to other users; chmod 700" in told(str(tmp_path / "p"))
