"""When times differ too much to be trusted."""

from collections.abc import Sequence

import pytest

from harness.workers import spread


@pytest.mark.parametrize(
    ("samples", "unstable"),
    [((10.0, 10.2, 10.4), False), ((10.0, 11.0, 12.6), True), ((9.0,), False)],
)
def test_the_unstable_flag(samples: Sequence[float], unstable: bool) -> None:
    assert spread.pooled(samples)["unstable"] is unstable
