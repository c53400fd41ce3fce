"""Members trained side by side have the numbers of trainings alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.jax, pytest.mark.slow]

TESTS = Path(__file__).parents[1]


@pytest.mark.parametrize("case", ["lstm", "gru", "rnn", "replicates or why"])
def test_side_by_side(case: str) -> None:
    pytest.importorskip("jax")
    options = ("-q", "-p", "no:cacheprovider", "-m", "slow", "-k", case)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(TESTS / "side_by_side_testing.py")],
        capture_output=True, text=True, check=False, timeout=300, cwd=TESTS.parent,
        env={**os.environ, "KERAS_BACKEND": "jax"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert f"{len(case.split(' or '))} passed" in done.stdout
