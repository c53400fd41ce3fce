"""Run directories for tests of the report."""

from pathlib import Path
from typing import Any

import pytest
from report_testing import MakeRun, write_run


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run(...)` writes a run directory and returns its path; see `write_run`."""

    def make(name: str = "lstm_depth", **options: Any) -> Path:
        return write_run(tmp_path / "runs" / name, **options)

    return make
