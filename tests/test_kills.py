"""A command is killed before its writes, renames, syncs and commits, one by one; then given again.

With THOROUGH=1 before each of them, which takes an hour; otherwise before one in several.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent
THOROUGH = os.environ.get("THOROUGH") == "1"


def kills(verb: str, folder: Path, *most: str) -> list[tuple[str, int, Any]]:
    """For each kill: the event before which it was, the status of the second try, its outcome."""
    done = subprocess.run(
        [sys.executable, str(TESTS / "killing.py"), verb, str(folder), *most],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])},
        capture_output=True, text=True, timeout=3600 if THOROUGH else 900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def check(found: list[tuple[str, int, Any]], least: int) -> None:
    (_, status, whole), *others = found
    assert status == 0, whole
    assert others[-1][0] == "end"
    assert len(others) > least
    for event, status, outcome in others:
        assert (status, outcome) == (0, whole), f"killed before: {event}"


def test_a_study_killed_at_each_of_its_first_steps(ram_path: Path) -> None:
    check(kills("study", ram_path, "15"), 14)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "events", "step"),
    [("study", 200, 29), ("fresh", 200, 31), ("report", 20, 3), ("import", 40, 5), ("copy", 15, 5),
     ("profile", 15, 3), ("tabulate", 20, 5), ("contest", 3, 1)],
)  # fmt: skip
def test_killed_at_each_step(ram_path: Path, verb: str, events: int, step: int) -> None:
    if verb in ("tabulate", "contest"):
        pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
    step = 1 if THOROUGH else step
    check(kills(verb, ram_path, str(sys.maxsize), str(step)), events // step)
