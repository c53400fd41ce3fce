"""How long a configuration is measured."""

from collections.abc import Sequence

import pytest

from harness.datasets.base.signature import BINARY
from harness.spec.hyperparameters import Hyperparameters


@pytest.mark.parametrize(
    ("units", "length", "device", "steps"),
    [(5, 100, "cpu", 128), (61, 200, "cpu", 42), (61, 200, "gpu", 128), (512, 400, "cpu", 8)],
)
def test_large_networks_are_measured_over_fewer_steps_on_a_cpu(
    units: int, length: int, device: str, steps: int
) -> None:
    from harness.workers.timing import steps_of_an_epoch

    hp = Hyperparameters(cell="gru", depth=3, units=units, sequence_length=length, batch_size=32)
    assert steps_of_an_epoch(hp, BINARY, device) == steps


def test_what_spreads_is_measured_longer() -> None:
    from harness.workers.timing import timed

    def clock() -> float:
        return float(len(taken))

    taken: list[float] = []

    def sample(values: Sequence[float]) -> float:
        taken.append(values[len(taken) % len(values)])
        return taken[-1]

    steady, longer = timed(lambda: sample((5.0,)), 10.0, clock=clock)
    assert (len(steady), longer) == (7, False)  # they agree, so half of the time is enough
    taken.clear()
    noisy, longer = timed(lambda: sample((5.0, 9.0)), 10.0, clock=clock)
    assert (len(noisy), longer) == (30, True)
    taken.clear()
    few, longer = timed(lambda: sample((5.0,)), 0.0, clock=clock)
    assert len(few) == 7
