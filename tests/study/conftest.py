"""A toy study, and the toy pool in place of worker processes."""

from pathlib import Path

import pytest
from session_testing import STUDY, use_toy_pool


@pytest.fixture
def toy_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    use_toy_pool(monkeypatch)


@pytest.fixture
def file(ram_path: Path) -> Path:
    file = ram_path / "mine.py"
    file.write_text(STUDY)
    return file
