"""Fixtures for all tests."""

import os
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
