"""Fixtures for all tests."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def ram_path() -> Iterator[Path]:
    """A folder for tests that commit thousands of times: in memory where the system has that.

    Every commit waits for the disk; on tmpfs such tests take a tenth of the time, and a killed
    process loses no more there than on a disk.
    """
    memory = "/dev/shm"
    with tempfile.TemporaryDirectory(
        dir=memory if os.access(memory, os.W_OK) else None, prefix="harness-test-"
    ) as folder:
        yield Path(folder)


@pytest.fixture
def no_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports without drawing, which takes most of their time: for tests of other things."""
    from reports.charts import chart
    from reports.content import Panel

    monkeypatch.setattr(chart, "panel", lambda identity, alt, draw, **_: Panel("", alt))


@pytest.fixture
def no_sections(
    request: pytest.FixtureRequest, no_charts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reports without sections, but in tests marked `page`: half of a small study's time."""
    from reports import page

    if request.node.get_closest_marker("page") is None:
        monkeypatch.setattr(page, "build_sections", lambda records: [])


def pytest_configure() -> None:
    """What all tests of a session, and all processes that they start, share.

    Compiled programs are kept in one folder: most trainings here are of a few shapes. Side by
    side (pytest -n 2) each process and all that it starts have a core of their own.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if not worker and "HARNESS_COMPILE_CACHE" not in os.environ:
        programs = tempfile.mkdtemp(prefix="harness-test-programs-")
        atexit.register(shutil.rmtree, programs, ignore_errors=True)
        os.environ["HARNESS_COMPILE_CACHE"] = programs
    if worker and hasattr(os, "sched_setaffinity"):
        cpus = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cpus[int(worker.removeprefix("gw")) % len(cpus)]})
