"""Fixtures for the tests of the profiler."""

import pytest
from profile_testing import Pool

from harness.profile import profiler


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> type[Pool]:
    Pool.asked, Pool.stop_after = [], None
    monkeypatch.setattr(profiler, "LocalPool", Pool)
    return Pool
