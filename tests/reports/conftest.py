"""Run directories for tests of the report."""

from pathlib import Path

import pytest
from report_testing import MakeRun, run_maker


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(...)` writes a run directory and returns its path; see `write_run`."""
    return run_maker(tmp_path)
