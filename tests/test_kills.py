"""A command is killed before each of its writes, renames, syncs and commits; then given again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent


def kills(verb: str, folder: Path, *most: str) -> list[tuple[str, int, Any]]:
    """For each kill: the event before which it was, the status of the second try, its outcome."""
    done = subprocess.run(
        [sys.executable, str(TESTS / "killing.py"), verb, str(folder), *most],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)])},
        capture_output=True, text=True, timeout=3600,
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
    check(kills("study", ram_path, "30"), 29)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verb", "least"),
    [("study", 200), ("fresh", 20), ("report", 20), ("import", 40), ("copy", 15), ("profile", 15),
     ("tabulate", 20), ("contest", 3)],
)  # fmt: skip
def test_killed_at_each_step(ram_path: Path, verb: str, least: int) -> None:
    if verb in ("tabulate", "contest"):
        pytest.importorskip("pyarrow", reason="no pyarrow (pip install pyarrow)")
    check(kills(verb, ram_path), least)
