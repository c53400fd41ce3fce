"""Epochs of JAX have the numbers of TensorFlow's, and everything else that those have."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.jax, pytest.mark.slow]

TESTS = Path(__file__).parents[1]


def _run(backend: str, *command: str) -> None:
    """Run Python in a process whose Keras has this backend."""
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True, text=True, check=False, timeout=550, cwd=TESTS.parent,
        env={
            **os.environ, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3",
            "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path]),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


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
    _run("jax", "-m", "pytest", "-q", "-p", "no:cacheprovider", resuming, "-k", wanted)
